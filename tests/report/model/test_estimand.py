"""What a report's numbers are about, and which items then count as one draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core.errors import TaskError
from harness.core.outcomes import Outcomes
from harness.core.samples import TestSet
from harness.report.model.estimand import regrouped, suggested
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.table import Table, build_table
from harness.report.model.task_checks import check_report_keys
from harness.report.text.caption import caption
from harness.stats import pairwise

from ..studies import few_shot_accuracy, make_results, task_of


def items_of(labels: list[int], groups: list[int]) -> TestSet:
    items = tuple(f"i{i}" for i in range(len(labels)))
    names = tuple(f"c{c}" for c in range(max(labels) + 1))
    return TestSet(items, np.array(labels), np.array(groups), names)


CLASSES = items_of([0, 0, 1, 1], [5, 5, 9, 9])  # a group a class, as emoji
MOTIONS = items_of([0, 1, 2, 3], [0, 0, 1, 1])  # an object has two motions, which are classes
CLIPS = items_of([0, 0, 0, 1, 1, 1], [0, 0, 1, 2, 2, 3])  # several groups in a class, as UCF
MIXED = items_of([0, 0, 1, 1, 2], [0, 1, 1, 2, 3])  # a group reaches into two classes


@pytest.mark.parametrize(
    ("test", "estimand"),
    [(CLASSES, "new_classes"), (MOTIONS, "new_classes"), (CLIPS, "these_classes"),
     (MIXED, "these_classes")],
)  # fmt: skip
def test_groups_of_whole_classes_are_drawn_classes(test: TestSet, estimand: str) -> None:
    assert suggested(test) == estimand
    assert regrouped(test, None) is test
    assert regrouped(test, estimand) is test


def parts(test: TestSet) -> list[set[str]]:
    groups = test.groups.tolist()
    return [
        {i for i, g in zip(test.items, groups, strict=True) if g == group}
        for group in dict.fromkeys(groups)
    ]


def test_new_classes_join_groups_and_classes() -> None:
    assert parts(regrouped(CLIPS, "new_classes")) == [{"i0", "i1", "i2"}, {"i3", "i4", "i5"}]
    assert parts(regrouped(MIXED, "new_classes")) == [{"i0", "i1", "i2", "i3"}, {"i4"}]


def test_in_these_classes_every_item_of_a_drawn_class_is_a_draw() -> None:
    assert parts(regrouped(CLASSES, "these_classes")) == [{"i0"}, {"i1"}, {"i2"}, {"i3"}]


def results_of(estimand: str | None, **report: Any) -> Results:
    given = {"rows": "classifier", "estimand": estimand} | report
    task = task_of(classifier=["text", "random"], include=[], shots=1, report=given)
    return make_results(task, few_shot_accuracy)


def table_of(estimand: str | None) -> Table:
    return build_table(results_of(estimand))


def test_every_number_of_a_table_has_the_groups_of_its_estimand() -> None:
    """By hand, from the outcomes with other groups: 200 items in 100 classes of two."""
    column = Column("1 shot")
    own = table_of(None).entries["text", column].outcomes
    other = table_of(None).entries["random", column].outcomes
    assert own is not None
    assert other is not None
    table = table_of("these_classes")
    items = np.arange(200)
    expected = pairwise.estimate(replace(own, groups_N=items))
    assert table.entries["text", column].estimate == expected
    assert expected.groups == 200
    (pair,) = table.pairs
    a, b = (Outcomes(o.correct_SN, o.seeds, items) for o in (own, other))
    by_hand = pairwise.contrast(a, b, name_a="text", name_b="random")
    assert pair.contrast.p == pytest.approx(by_hand.p, rel=1e-9)
    bounds = (pair.contrast.low, pair.contrast.high)
    assert bounds == pytest.approx((by_hand.low, by_hand.high), rel=1e-9)


def test_these_items_leave_seeds_as_the_only_randomness() -> None:
    table = table_of("these_items")
    (pair,) = table.pairs
    assert (pair.contrast.estimand, pair.contrast.test) == ("E1", "paired t over seeds")
    estimate = table.entries["text", Column("1 shot")].estimate
    assert estimate is not None
    assert estimate.method == "t over seeds"
    outcomes = table.entries["text", Column("1 shot")].outcomes
    assert outcomes is not None
    mean_S = outcomes.correct_SN.mean(axis=1)
    half = 2.7764451051977987 * mean_S.std(ddof=1) / 5**0.5  # t of 4 degrees of freedom
    assert estimate.low == pytest.approx(mean_S.mean() - half)


@pytest.mark.parametrize(
    ("estimand", "said"),
    [
        (None, "(report.estimand: new_classes; new seeds and new classes with their items)"),
        ("these_classes", "(report.estimand: these_classes; new seeds and new test items)"),
        ("these_items", "under E1 (report.estimand: these_items; new seeds on these test items)"),
    ],
)
def test_the_caption_names_it(estimand: str | None, said: str) -> None:
    assert said in caption(table_of(estimand))


def test_one_seed_and_seeds_that_agree_have_no_interval_of_seeds() -> None:
    correct_SN = np.ones((3, 4), dtype=bool)
    same = pairwise.estimate(Outcomes(correct_SN, (0, 1, 2), np.arange(4)), estimand="E1")
    one = pairwise.estimate(Outcomes(correct_SN[:1], (0,), np.arange(4)), estimand="E1")
    fixed = pairwise.estimate(Outcomes(correct_SN[:1], (None,), np.arange(4)), estimand="E1")
    assert [(e.low, e.method) for e in (same, one, fixed)] == [
        (None, "no interval: its seeds agree"), (None, "no interval: one seed"),
        (None, "no interval: nothing is random in it"),
    ]  # fmt: skip


def test_a_mean_over_data_sets_is_about_new_items() -> None:
    task = results_of("these_items", average="these_datasets", columns=["dataset"]).task
    with pytest.raises(TaskError, match=r"report\.estimand.*these_items.*these_classes"):
        check_report_keys(task, "t.yaml")
