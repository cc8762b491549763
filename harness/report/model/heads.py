"""What became of heads on frozen features: where they ended, and how far from the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.cells import Cell
from harness.core.records import Record
from harness.report.model.entry import DONE, Entry
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.task.row_recipes import is_linear_probe

#: A head has nearly converged if its gradient is at most this share of the gradient at the start.
NEARLY = 0.01
GRADIENT, GRADIENT_AT_START = "gradient_norm", "gradient_norm_start"


@dataclass(frozen=True)
class HeadEnd:
    """The heads of an entry, means over its seeds; None for what a Record lacks.

    `gradient_left` is the mean of the gradient norm at the end over that at the start, of heads
    that were trained by steps on the mean loss alone.
    """

    row: str
    column: Column
    convex: bool  # solved to its optimum
    linear: bool
    gradient_norm: float | None
    gradient_left: float | None
    relative_distance: float | None
    degrees: float | None
    margin: float | None

    @property
    def nearly_converged(self) -> bool | None:
        """None where it cannot be told."""
        return None if self.gradient_left is None else self.gradient_left <= NEARLY


def head_ends(table: Table) -> list[HeadEnd]:
    """Of every finished entry with heads on frozen features, column by column."""
    return [
        _head_end(row, column, entry, entry.cell)
        for column in table.columns
        for row in table.rows
        if (entry := table.entries[row, column]).status == DONE
        and entry.cell is not None
        and entry.cell.tuning == "head"
        and any(GRADIENT in r.diagnostics for r in entry.records)
    ]


def _head_end(row: str, column: Column, entry: Entry, cell: Cell) -> HeadEnd:
    return HeadEnd(
        row=row,
        column=column,
        convex=all(r.diagnostics.get("convex") is True for r in entry.records),
        linear=is_linear_probe({"tuning": cell.tuning, "paradigm": cell.paradigm}),
        gradient_norm=_mean(entry.records, GRADIENT),
        gradient_left=_gradient_left(entry.records, cell),
        relative_distance=_mean(entry.records, "relative_distance_from_start"),
        degrees=_mean(entry.records, "row_to_class_mean_degrees"),
        margin=_mean(entry.records, "training_margin"),
    )


def _mean(records: Sequence[Record], name: str) -> float | None:
    values = [r.diagnostics[name] for r in records if name in r.diagnostics]
    return float(np.mean(values)) if len(values) == len(records) else None


def _gradient_left(records: Sequence[Record], cell: Cell) -> float | None:
    """None with a proximal term: the gradient of the loss alone is not 0 at that optimum."""
    if cell.recipe is not None and cell.recipe.proximal:
        return None
    shares = [
        r.diagnostics[GRADIENT] / start
        for r in records
        if (start := r.diagnostics.get(GRADIENT_AT_START)) and GRADIENT in r.diagnostics
    ]
    return float(np.mean(shares)) if len(shares) == len(records) else None
