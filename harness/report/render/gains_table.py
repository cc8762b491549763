"""Which classes gain and lose, and which confusions change, as Markdown tables."""

from __future__ import annotations

from harness.report.model.class_gains import MOST_CLASSES, ClassGains, class_gains
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.leaderboard import DASH
from harness.report.render.pipe_table import pipe_table
from harness.report.text.class_gains import below_gains, changes
from harness.report.text.prose import escape

_CLASSES = ("Row", "Classes that gain most", "Classes that lose most", "Higher", "Equal", "Lower")
_CONFUSIONS = (
    "Row", "Confusions that grow most (true → predicted)", "Confusions that shrink most",
)  # fmt: skip


def gains_table(results: Results, table: Table) -> str:
    """Empty unless a row has other accuracies on single classes than the reference."""
    found = class_gains(results, table)
    if found is None:
        return ""
    parts = [pipe_table(_CLASSES, map(_classes, found.rows), left=3)]
    if any(g.grow or g.shrink for g in found.rows):
        parts.append(pipe_table(_CONFUSIONS, map(_confusions, found.rows), left=3))
    return "\n\n".join([*parts, below_gains(found)])


def _classes(g: ClassGains) -> list[str]:
    gain = [c for c in g.classes if c.difference > 0][:MOST_CLASSES]
    lose = [c for c in reversed(g.classes) if c.difference < 0][:MOST_CLASSES]
    return [escape(g.row), changes(gain) or DASH, changes(lose) or DASH, *map(str, g.counts)]


def _confusions(g: ClassGains) -> list[str]:
    return [escape(g.row), changes(g.grow) or DASH, changes(g.shrink) or DASH]
