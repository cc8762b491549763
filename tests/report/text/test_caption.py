"""The caption of the leaderboard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.text.caption import caption, estimands
from harness.task.read import validate

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
        "reference, m = 6 to 7)."
    )
    table = caption_of(few_shot(task={"report": report | {"family": "table"}}))
    assert table.endswith(
        "Every verdict of this page has Holm's correction over all pairs of rows of all columns "
        "together (family: table, m = 77)."
    )


def test_class_draws_have_a_range_and_no_interval() -> None:
    task = {"class_seed": [0, 1], "classifier": ["text", "random"], "include": [], "shots": 1}
    text = caption_of(few_shot(task=task))
    assert "mean over 2 class draws \\[lowest, highest draw\\]. Each draw has S = 5 seeds" in text
    assert "interval" not in text


def test_nothing_and_one_row() -> None:
    assert caption_of(few_shot(status=lambda _: "missing")) == "No entry is done yet."
    one = make_results(task_of(classifier="text", include=[], shots=1), few_shot_accuracy)
    assert caption_of(one).endswith("One row: there is nothing to compare.")
