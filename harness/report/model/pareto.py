"""Accuracy against cost: what each row costs by construction, and which rows no other dominates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from harness.core.records import Record
from harness.report.model.entry import DONE, Entry
from harness.report.model.labels import Column
from harness.report.model.table import Table

#: Costs that differ by less than this factor are the same: a bias more, a token of an end.
LEAST_RATIO = 1.1


@dataclass(frozen=True)
class Cost:
    """A cost of one cell that is known by construction: equal on every machine."""

    title: str
    unit: str
    digits: int  # of how it is written: 0 for counts


PARAMETERS = Cost("Trained parameters", "", 0)
TRAINING = Cost("Training", "A100-days, estimated", 2)
INFERENCE = Cost("MACs per test item", "", 0)
COSTS = (PARAMETERS, TRAINING, INFERENCE)
#: The field of a cost with the operations of a text tower.
TEXT_OPERATIONS = "text_operations"


@dataclass(frozen=True)
class CostPoint:
    """A row: its cost and its top-1 accuracy with the interval (fractions)."""

    row: str
    cost: float
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CostPanel:
    """The rows of a column over one cost; `front` has those that no other dominates, by cost."""

    cost: Cost
    points: tuple[CostPoint, ...]
    front: tuple[str, ...]


def cost_panels(table: Table) -> tuple[Column, tuple[CostPanel, ...]] | None:
    """The last column in which a cost tells rows apart, with a panel for each such cost."""
    for column in reversed(table.columns):
        panels = [_panel(table, column, cost) for cost in COSTS]
        if found := tuple(panel for panel in panels if panel is not None):
            return column, found
    return None


def front(points: Sequence[CostPoint]) -> tuple[str, ...]:
    """Rows of which no other is at most as expensive and at least as accurate, and one of the two
    strictly; from the cheapest on. Equal rows are there together.
    """
    best = [p for p in points if not any(_dominates(other, p) for other in points)]
    return tuple(p.row for p in sorted(best, key=lambda p: p.cost))


def _dominates(a: CostPoint, b: CostPoint) -> bool:
    return a.cost <= b.cost and a.mean >= b.mean and (a.cost, a.mean) != (b.cost, b.mean)


def _panel(table: Table, column: Column, cost: Cost) -> CostPanel | None:
    points = []
    for row in table.rows:
        entry = table.entries[row, column]
        value = _cost_of(entry, cost)
        if value is not None and (e := entry.estimate) is not None:
            points.append(CostPoint(row, value, e.mean, e.low, e.high))
    costs = [p.cost for p in points]
    if len(points) < 2 or max(costs) <= 0 or max(costs) < LEAST_RATIO * min(costs):
        return None
    return CostPanel(cost, tuple(points), front(points))


def _cost_of(entry: Entry, cost: Cost) -> float | None:
    """The mean over seeds; None where one does not say it."""
    values = [_value(record, cost) for record in entry.records]
    known = [v for v in values if v is not None]
    if entry.status != DONE or not known or len(known) < len(values):
        return None
    return float(np.mean(known))


def _value(record: Record, cost: Cost) -> float | None:
    if cost == INFERENCE:
        macs = record.cost.get("flops_per_view")
        return None if macs is None else float(macs) * _views(record.cost.get("views"))
    value = record.cost.get("params") if cost == PARAMETERS else gpu_days(record, "a100_days")
    return None if value is None else float(value)


def gpu_days(record: Record, key: str) -> float | None:
    """The estimated days of a training; None where it is not known.

    Records of before text towers were counted do not say what one that every step runs has cost.
    """
    known = TEXT_OPERATIONS in record.cost or not runs_texts(record)
    return float(record.cost[key]) if known and record.cost.get(key) is not None else None


def runs_texts(record: Record) -> bool:
    """Whether every step of its training ran a text tower."""
    return record.cell.get("text_tower") == "online" or record.cell.get("tuning") == "prompt"


def _views(views: object) -> int:
    """Clips times crops of an item: `4x3`."""
    parts = str(views).split("x")
    return prod(map(int, parts)) if all(part.isdigit() for part in parts) else 1
