"""Studies of several data sets, or of class draws, made in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.core.cells import Cell
from harness.report.model.results import Results

from .studies import few_shot_accuracy, make_results, name_of, task_of

ROWS = ("text", "random", "orthogonal", "text_rotated", "text_shuffled", "prototype")


def names_of_sets(n: int) -> list[str]:
    return [f"folder:set_{letter}" for letter in "abcdefghijkl"[:n]]


def several(
    kind: str | None,
    *,
    datasets: Sequence[Any] = tuple(names_of_sets(6)),
    rows: int = 4,
    shots: Any = 1,
    task: dict[str, Any] | None = None,
    report: dict[str, Any] | None = None,
    **options: Any,
) -> Results:
    """Data sets of rising accuracy on which rows differ a little in their order."""
    changes: dict[str, Any] = {
        "dataset": list(datasets), "shots": shots, "classifier": list(ROWS[:rows]), "include": [],
        "report": {"rows": "classifier", "columns": ["dataset", "shots"], "average": kind,
                   **(report or {})},
    } | (task or {})  # fmt: skip
    order = [str(d) for d in datasets]

    def accuracy(cell: Cell) -> float:
        at = max((i for i, d in enumerate(order) if d in str(cell.dataset)), default=0)
        wiggle = 0.03 * np.sin(7 * len(name_of(cell)) + 3 * at)
        return float(np.clip(few_shot_accuracy(cell) + 0.05 * (at - 3) + wiggle, 0.05, 0.97))

    options = {"n": 60, "n_classes": 30} | options
    return make_results(task_of(**changes), accuracy, **options)
