"""Changes of single classes between rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core.records import Record
from harness.report.model import class_gains as module
from harness.report.model.class_gains import Change, class_gains
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.task.schema import Task

from ..studies import few_shot, few_shot_accuracy, make_results, task_of

#: Items of three classes: 0, 1, 2, 0, 1, 2.
LABELS = [0, 1, 2, 0, 1, 2]


def predicted(
    by_row: Mapping[str, list[list[int]]], *, reference: str | None = "text", **task: Any
) -> Results:
    """Rows with these predictions, by seed."""
    report = {"rows": "classifier", "columns": "shots"} | (
        {"reference": reference} if reference else {}
    )
    study: Task = task_of(
        **{"classifier": list(by_row), "include": [], "shots": 1, "seeds": 2, "report": report}
        | task
    )
    results = make_results(study, few_shot_accuracy, n=6, n_classes=3)

    def read(record: Record) -> Mapping[str, np.ndarray[Any, Any]]:
        of_seed = by_row[record.cell["classifier"]][record.cell.get("seed") or 0]
        prediction_N = np.array(of_seed)
        return {"prediction": prediction_N, "rank": (prediction_N != np.array(LABELS)).astype(int)}

    return replace(results, arrays=read)


TEXT = [[0, 1, 2, 0, 1, 0], [0, 1, 2, 0, 0, 0]]  # right: all of 0, 3 of 4, 2 of 4
RANDOM = [[0, 1, 2, 1, 1, 2], [1, 1, 2, 0, 1, 2]]  # right: 2 of 4, all, all


def test_classes_and_confusions_by_the_shares_of_their_items() -> None:
    results = predicted({"text": TEXT, "random": RANDOM})
    found = class_gains(results, build_table(results))
    assert found is not None
    assert (found.base, found.items, found.left_out) == ("text", (2, 2), ())
    zero, one, two = results.tests[next(iter(results.tests))].class_names
    (gains,) = found.rows
    assert gains.classes == (
        Change(two, 0.5, 1.0), Change(one, 0.75, 1.0), Change(zero, 1.0, 0.5),
    )  # fmt: skip
    assert [c.difference for c in gains.classes] == [0.5, 0.25, -0.5]
    assert gains.counts == (2, 0, 1)
    assert gains.grow == (Change(zero, 0.0, 0.5, one),)
    assert gains.shrink == (Change(two, 0.5, 0.0, zero), Change(one, 0.25, 0.0, zero))


def test_without_a_reference_the_best_row_is_the_base() -> None:
    results = predicted({"text": TEXT, "random": RANDOM}, reference=None)
    found = class_gains(results, build_table(results))
    assert found is not None
    assert found.base == "random"
    assert found.rows[0].row == "text"


def test_equal_rows_and_single_rows_have_nothing_to_say() -> None:
    for rows in ({"text": TEXT, "random": TEXT}, {"text": TEXT}):
        results = predicted(rows)
        assert class_gains(results, build_table(results)) is None


def test_equal_accuracies_of_classes_have_nothing_to_say() -> None:
    other = [TEXT[1], TEXT[0]]  # the same over seeds
    results = predicted({"text": TEXT, "random": other})
    assert class_gains(results, build_table(results)) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: few_shot(n=20, n_classes=1),
        lambda: make_results(task_of(), few_shot_accuracy, status=lambda _: "missing"),
    ],
)
def test_one_class_or_no_results(make: Callable[[], Results]) -> None:
    results = make()
    assert class_gains(results, build_table(results)) is None


def test_a_class_without_items_is_left_out() -> None:
    results = predicted({"text": TEXT, "random": RANDOM})
    (name, test), *_ = results.tests.items()
    wider = replace(test, class_names=(*test.class_names, "without items"))
    found = class_gains(replace(results, tests={name: wider}), build_table(results))
    assert found is not None
    assert [c.true for c in found.rows[0].classes if c.true == "without items"] == []


def test_of_many_rows_those_are_shown_that_differ_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 1)
    near = [[0, 1, 2, 0, 1, 0], [0, 1, 2, 0, 1, 0]]
    results = predicted({"text": TEXT, "random": near, "orthogonal": [[0, 1, 2, 0, 1, 2]] * 2})
    found = class_gains(results, build_table(results))
    assert found is not None
    assert ([g.row for g in found.rows], found.left_out) == (["orthogonal"], ("random",))


def test_it_is_of_the_last_column_that_has_results() -> None:
    results = few_shot()
    found = class_gains(results, build_table(results))
    assert found is not None
    assert str(found.column) == "4 shots"
