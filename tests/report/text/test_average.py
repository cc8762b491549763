"""What the report says of means over data sets."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.model.table import Table, build_table
from harness.report.text.answer import answer
from harness.report.text.average import average_caption, no_diagram

from ..several_sets import names_of_sets, several
from ..studies import few_shot_accuracy, make_results, task_of


def built(kind: str, n: int, **options: Any) -> Table:
    return build_table(several(kind, datasets=names_of_sets(n), **options))


def reason(table: Table) -> str:
    assert table.average is not None
    return no_diagram(table.average, table.average.columns[0])


def test_the_caption_says_what_the_means_are_about() -> None:
    fixed = average_caption(built("these_datasets", 3, rows=3))
    assert "M = 3 data sets with equal weights, as a fixed benchmark; nothing is said" in fixed
    assert "family: column, m = 3" in fixed
    sample = average_caption(built("new_datasets", 8, rows=3))
    assert "the data sets are the sample" in sample
    assert "Test: exact Wilcoxon over data sets" in sample
    assert "Friedman's test that all rows are equal (1 shot): chi-squared" in sample


def test_it_says_why_there_is_no_p() -> None:
    """Eleven rows on eleven data sets in small: four rows on seven."""
    text = average_caption(built("new_datasets", 7))
    assert "No pair of rows has a p-value" in text
    assert "(n = 7: 0.016)" in text
    assert "over 6 pairs of 4 rows needs 0.0083" in text
    assert "no p-value" not in average_caption(built("new_datasets", 8))


@pytest.mark.parametrize(
    ("kind", "n", "rows", "why"),
    [
        ("new_datasets", 8, 4, ""), ("new_datasets", 7, 4, "not every pair of rows"),
        ("new_datasets", 8, 2, "needs three rows"), ("these_datasets", 8, 4, "a fixed benchmark"),
    ],
)  # fmt: skip
def test_why_there_is_no_diagram(kind: str, n: int, rows: int, why: str) -> None:
    found = reason(built(kind, n, rows=rows))
    assert why in found
    assert bool(found) is bool(why)


def test_draws_that_share_classes() -> None:
    task = task_of(
        classifier=["text", "random", "prototype"], include=[], shots=1, class_seed=[0, 1, 2, 3],
        report={"rows": "classifier", "average": "new_datasets"},
    )  # fmt: skip
    table = build_table(make_results(task, few_shot_accuracy, n=60, n_classes=30))
    text = average_caption(table)
    assert "have 80% of their classes in common on average" in text
    assert "Test: corrected resampled t over class draws" in text
    assert "the class draws share classes" in reason(table)


def test_the_answer_begins_with_the_mean() -> None:
    best = answer(built("these_datasets", 3, rows=2))
    assert best.startswith(" In the mean of these 3 data sets, at 1 shot, text has the highest")
    report = {"reference": "random"}
    against = answer(built("new_datasets", 3, rows=3, report=report))
    assert against.startswith(" Over data sets like these 3, at 1 shot, the differences from")
    assert "3 data sets that differ are too few for a p-value among 3 comparisons" in against
