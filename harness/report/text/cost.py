"""What the figure of accuracy against cost shows, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.labels import Column
from harness.report.model.pareto import LEAST_RATIO, TRAINING, CostPanel
from harness.report.text.prose import in_column, listing


def cost_caption(column: Column, panels: Sequence[CostPanel], rows: Sequence[str]) -> str:
    """`rows` are all rows with an accuracy in the column."""
    where = f" {in_column(str(column))}".rstrip()
    intervals = any(p.low is not None for panel in panels for p in panel.points)
    text = f"Top-1 accuracy against cost{where}"
    text += ", with 95% intervals. " if intervals else ". "
    text += (
        "Filled and joined: the Pareto front, the rows than which no other is both at most as "
        "expensive and at least as accurate, by their means. It is no test: neighbours on it may "
        "not differ significantly. Costs are those of one cell, by construction and not as "
        "measured"
    )
    if any(panel.cost == TRAINING for panel in panels):
        text += "; training without its search"
    text += f". The axis is logarithmic. Costs within a factor of {LEAST_RATIO} are no difference."
    for panel in panels:
        without = [row for row in rows if row not in {p.row for p in panel.points}]
        if without:
            text += f" Not known in '{panel.cost.title}': {listing(without)}."
    return text
