"""Means over official splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell
from harness.report.model.splits import SplitMean, split_means
from harness.report.model.table import build_table
from harness.report.render.split_table import split_table

from ..studies import few_shot_accuracy, make_results, task_of

UCF = [{"name": "video:ucf", "split": split} for split in (1, 2, 3)]
CHANGES: dict[str, Any] = {
    "dataset": UCF, "shots": 1, "classifier": ["text", "random"], "include": [], "seeds": 3,
    "report": {"rows": "classifier", "columns": "dataset"},
}  # fmt: skip


def accuracy(cell: Cell) -> float:
    split = dict(cell.dataset.options).get("split", 1)
    return few_shot_accuracy(cell) + 0.05 * float(split)


def means(**options: Any) -> tuple[list[SplitMean], Any]:
    changes = {**CHANGES, **options.pop("task", {})}
    results = make_results(task_of(**changes), accuracy, **options)
    table = build_table(results)
    return split_means(table), table


def test_the_mean_class_accuracy_over_three_splits() -> None:
    (text, random), table = means()
    assert [(m.row, m.dataset, m.splits, m.seeds) for m in (text, random)] == [
        ("text", "video:ucf", (1, 2, 3), 3), ("random", "video:ucf", (1, 2, 3), 3),
    ]  # fmt: skip
    accuracies_NS = np.array(
        [
            [r.mean_class for r in sorted(entry.records, key=lambda r: r.cell["seed"])]
            for (row, _), entry in table.entries.items()
            if row == "text"
        ],
        dtype=float,
    )
    assert accuracies_NS.shape == (3, 3)
    assert text.mean_class == pytest.approx(accuracies_NS.mean())
    assert text.deviation == pytest.approx(accuracies_NS.mean(axis=0).std(ddof=1))
    page = split_table(table)
    assert "| text | video:ucf | 1, 2, 3 |" in page
    assert f"{100 * accuracies_NS.mean():.1f}" in page
    assert "Descriptive" in page
    assert len(table.columns) == 3, "each split keeps its own column"


def test_two_data_sets_have_a_mean_each() -> None:
    both = [*UCF, *({"name": "video:hmdb", "split": split} for split in (1, 2, 3))]
    found, _ = means(task={"dataset": both, "classifier": "text", "report": {"columns": "dataset"}})
    assert [(m.dataset, m.seeds) for m in found] == [("video:ucf", 3), ("video:hmdb", 3)]


def test_a_split_that_is_missing_is_named() -> None:
    def missing(cell: Cell) -> str:
        return "missing" if dict(cell.dataset.options)["split"] == 2 else "done"

    found, table = means(status=missing, task={"classifier": "text"})
    assert [(m.mean_class, m.missing) for m in found] == [(None, (2,))]
    assert "missing: split 2" in split_table(table)


@pytest.mark.parametrize("dataset", ["emoji", UCF[:1], [UCF[0], {"name": "video:x", "split": 2}]])
def test_one_split_has_no_mean(dataset: Any) -> None:
    found, table = means(task={"dataset": dataset})
    assert found == []
    assert split_table(table) == ""
