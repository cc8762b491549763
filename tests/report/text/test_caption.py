"""The caption of the leaderboard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.text.average import average_caption
from harness.report.text.caption import caption, estimands
from harness.report.text.shared_variance import any_share
from harness.task.read import validate

from ..several_sets import names_of_sets, several
from ..studies import few_shot, few_shot_accuracy, make_results, task_of


def caption_of(results: Results) -> str:
    return caption(build_table(results))


def test_it_says_what_the_numbers_are() -> None:
    text = caption_of(few_shot())
    for part in ("mean \\[95% interval\\] under E2 (report.estimand: new_classes; new seeds and "
                 "new classes with their items)",
                 "S = 5 seeds", "N = 200 test items", "G = 100 groups",
                 "one per class (C = 100 classes, drawn with their items)",
                 "Interval: two-way random effects. Test: two-way random effects.",
                 "(family: column, m = 21 to 28)."):  # fmt: skip
        assert part in text
    assert "chance" not in text


def test_where_groups_are_no_classes_the_classes_are_fixed() -> None:
    results = few_shot()
    tests = {k: replace(t, groups=np.arange(len(t.items)) // 2) for k, t in results.tests.items()}
    fixed = replace(results, tests=tests)
    text = caption_of(fixed)
    assert "(report.estimand: these_classes; new seeds and new test items)" in text
    assert "G = 100 groups, for these C = 100 classes only" in text
    assert estimands(build_table(results)) == ["new_classes"]
    assert estimands(build_table(fixed)) == ["these_classes"]


def test_zero_shot_says_what_chance_is() -> None:
    task = {"name": "z", "dataset": "emoji", "regime": "zero_shot", "classes": {"pick": 30},
            "encoder": "embedded/lit-emoji", "classifier": ["text", "random"]}  # fmt: skip
    text = caption_of(make_results(validate(task, "z"), lambda _: 0.4, n_classes=30))
    assert "chance level, 100/C: 3.3 points" in text
    # Text has one run, random five seeds.
    assert "S = 5 seeds (deterministic rows: one run)" in text


def test_one_run_and_one_seed_are_not_the_same() -> None:
    zero = task_of(regime="zero_shot", shots=None, classifier="text", include=[])
    assert "S = 1 run (every row is deterministic)" in caption_of(make_results(zero, lambda _: 0.5))
    one = few_shot(task={"seeds": 1, "shots": 1})
    assert "S = 1 seed, N" in caption_of(one)
    assert "Descriptive: with fewer than 5 seeds" in caption_of(one)


def test_the_declared_family_is_named_with_its_size() -> None:
    report = {"rows": "classifier", "reference": "random", "family": "reference"}
    text = caption_of(few_shot(task={"report": report}))
    assert "Bold" not in text
    assert text.endswith(
        "↑, ↓: significantly above or below random, the only row that others are compared with. "
        "Every verdict of this page has Holm's correction over the rows of a column (family: "
        "reference, m = 6 to 7), but for comparisons outside of it, which have a family of their "
        "own: what carries the gain (m = 6)."
    )
    table = caption_of(few_shot(task={"report": report | {"family": "table"}}))
    assert table.endswith(
        "Every verdict of this page has Holm's correction over all pairs of rows of all columns "
        "together (family: table, m = 77)."
    )


SHARED = "share the variance of seeds, as there are at least 10 of them."
ROTATED = ["text", "random", "text_rotated"]


def test_pairs_that_share_the_variance_of_seeds_are_said_where_they_do() -> None:
    """Five rows have 10 pairs, four have 6. At 1 shot lda is infeasible."""
    five = few_shot(task={"classifier": [*ROTATED, "prototype"]})
    assert f" The pairs of a column {SHARED} Bold" in caption_of(five)
    four = few_shot(task={"classifier": ROTATED})
    assert SHARED not in caption_of(four)
    some = few_shot(task={"classifier": [*ROTATED, "lda"]})
    assert f"In 2 of 3 columns the pairs {SHARED}" in caption_of(some)
    report = {"rows": "classifier", "reference": "random", "family": "reference"}
    assert SHARED in caption_of(few_shot(task={"report": report}))  # also pairs outside the family
    assert SHARED not in caption_of(few_shot(task={"seeds": 3}))  # without a p
    draws = few_shot(task={"class_seed": [0, 1], "classifier": [*ROTATED, "prototype"]})
    assert SHARED in caption_of(draws)


@pytest.mark.parametrize("rows", [5, 4])
def test_means_over_these_data_sets_share_it_too(rows: int) -> None:
    table = build_table(several("these_datasets", datasets=names_of_sets(3), rows=rows))
    assert (f"The pairs of a column of means {SHARED}" in average_caption(table)) == (rows == 5)
    sample = build_table(several("new_datasets", datasets=names_of_sets(3), rows=rows))
    assert SHARED not in average_caption(sample)
    assert any_share(sample) == (rows == 5)  # its data sets do


def test_it_names_the_families_beside_its_own() -> None:
    report = {"rows": "classifier", "reference": "text", "family": "reference"}
    of_controls = few_shot(task={"shots": 1, "classifier": ROTATED, "report": report})
    assert caption_of(of_controls).endswith(
        "(family: reference, m = 3), but for comparisons outside of it, which have a family of "
        "their own: what carries the gain (m = 1)."
    )
    within = report | {"rows": ["classifier", "tuning"], "reference": "text · head",
                       "within": "tuning"}  # fmt: skip
    both = few_shot(task={"shots": 1, "classifier": ROTATED, "include": [], "report": within,
                          "tuning": ["head", "projection"]})  # fmt: skip
    assert caption_of(both).endswith(
        "which have families of their own: what carries the gain (m = 4) and what tuning changes "
        "(m = 2)."
    )
    everything = report | {"family": "column"}
    found = few_shot(task={"shots": 1, "classifier": ROTATED, "report": everything})
    assert "of their own" not in caption_of(found)


def test_means_have_a_family_beside_that_of_all_columns() -> None:
    options = {"datasets": names_of_sets(3), "rows": 3}
    one = caption(build_table(several("these_datasets", report={"family": "table"}, **options)))
    assert one.endswith("which have a family of their own: means over data sets (m = 3).")
    of_column = caption(build_table(several("these_datasets", **options)))
    assert "of their own" not in of_column


def test_class_draws_have_a_range_and_no_interval() -> None:
    task = {"class_seed": [0, 1], "classifier": ["text", "random"], "include": [], "shots": 1}
    text = caption_of(few_shot(task=task))
    assert "mean over 2 class draws \\[lowest, highest draw\\]. Each draw has S = 5 seeds" in text
    assert "interval" not in text


def test_nothing_and_one_row() -> None:
    assert caption_of(few_shot(status=lambda _: "missing")) == "No entry is done yet."
    one = make_results(task_of(classifier="text", include=[], shots=1), few_shot_accuracy)
    assert caption_of(one).endswith("One row: there is nothing to compare.")
