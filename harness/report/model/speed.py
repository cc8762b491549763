"""How many training steps every row needs to the losses that the claims of a task name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.report.model.entry import DONE
from harness.report.model.labels import Column
from harness.report.model.steps import steps_to
from harness.report.model.table import Table
from harness.task.schema import Task


@dataclass(frozen=True)
class Speed:
    """Steps of a row in a column to a target (nats), over the seeds that reach it.

    `mean` is geometric: steps are compared as ratios. None where any seed does not reach the
    target, whose number of steps is unknown; `low` and `high` are None where none does.
    """

    row: str
    column: Column
    target: float
    seeds: int
    reached: int
    mean: float | None
    low: float | None
    high: float | None


def targets(task: Task) -> tuple[float, ...]:
    """The losses (nats) that the claims of a task name, from the highest on."""
    return tuple(sorted({c.target for c in task.claims if c.target is not None}, reverse=True))


def speeds(table: Table) -> list[Speed]:
    """Of every finished entry with a curve, column by column and target by target."""
    return [
        found
        for column in table.columns
        for target in targets(table.task)
        for row in table.rows
        if (found := speed(table, row, column, target)) is not None
    ]


def speed(table: Table, row: str, column: Column, target: float) -> Speed | None:
    """None for an entry that is not done or has no curve."""
    entry = table.entries[row, column]
    steps = list(steps_to(entry, target).values()) if entry.status == DONE else []
    if not steps:
        return None
    known = [s for s in steps if s is not None]
    mean = float(np.exp(np.mean(np.log(known)))) if len(known) == len(steps) else None
    return Speed(row, column, target, len(steps), len(known), mean,
                 min(known, default=None), max(known, default=None))  # fmt: skip
