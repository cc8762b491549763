"""What a report is made from: a task, its cells and their Records, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.cells import Cell
from harness.core.records import Record
from harness.core.samples import TestSet
from harness.task.schema import Task


@dataclass(frozen=True)
class Result:
    """A planned cell and its Record; record is None while it is missing."""

    cell: Cell
    key: str
    record: Record | None


@dataclass(frozen=True)
class Results:
    """The results of a task, in the order of the grid. A cell whose recipe has several names is
    there once for each of them.

    `arrays` reads the npz of a Record: prediction, rank, probability, confidence (N,), w_init and
    w_final (C, D; float16, where a classifier exists).
    """

    task: Task
    results: tuple[Result, ...]
    infeasible: tuple[tuple[Cell, str], ...]  # each with its reason
    tests: Mapping[str, TestSet]  # by Record.test
    arrays: Callable[[Record], Mapping[str, np.ndarray[Any, Any]]]
    notes: tuple[str, ...] = ()  # remarks of planning, e.g. that support sets do not vary

    def once(self) -> tuple[Result, ...]:
        """Every cell once, whatever the names of its recipe."""
        return tuple({r.key: r for r in self.results}.values())
