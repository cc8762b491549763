"""What the report says of means over data sets."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from harness.report.model.results import Results
from harness.report.model.table import Table, build_table
from harness.report.render import profile_figure as render
from harness.report.render.markdown import body
from harness.report.text.answer import answer
from harness.report.text.average import (
    average_caption,
    average_lead,
    below_means,
    no_diagram,
)

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


def draws_of(kind: str, datasets: int) -> Results:
    """Three class draws of one data set or of two."""
    task = {"class_seed": [0, 1, 2], "classes": {"pick": 20}}
    return several(kind, datasets=names_of_sets(datasets), rows=3, task=task)


def of_draws(kind: str, datasets: int) -> Table:
    return build_table(draws_of(kind, datasets))


@pytest.mark.parametrize("kind", ["these_datasets", "new_datasets"])
def test_class_draws_are_called_class_draws(kind: str) -> None:
    results = draws_of(kind, 2)
    table = build_table(results)
    found = table.average
    assert found is not None
    assert (found.noun, found.kinds) == ("class draws of 2 data sets", "class draws")
    text = average_caption(table)
    assert text.startswith(f"Means over class draws of 2 data sets (report.average: {kind}): ")
    assert ("about other class draws of their kind" if kind == "new_datasets" else
            "nothing is said about other class draws. The intervals combine the errors of seeds "
            "and of the test items of all class draws") in text  # fmt: skip
    below = below_means(table)
    assert below.startswith("Differences of means over class draws of 2 data sets, in points")
    assert "on how many class draws the row is ahead, equal or behind" in below
    assert "## Mean over class draws of 2 data sets" in body(results, table, [], [])
    said = average_lead(table, found.columns[0])
    new = said == "over class draws like these 6 (of 2 data sets),"
    assert new if kind == "new_datasets" else (
        said == "in the mean of these 6 class draws of 2 data sets,")  # fmt: skip


def test_draws_of_one_data_set_need_no_number_of_data_sets() -> None:
    table = of_draws("new_datasets", 1)
    assert table.average is not None
    said = average_lead(table, table.average.columns[0])
    assert said == "over class draws like these 3,"
    assert "Means over class draws (report.average: new_datasets)" in average_caption(table)


def test_the_performance_profile_counts_class_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []

    def keep(figure: Figure) -> bytes:
        drawn.append(figure)
        return b""

    monkeypatch.setattr(render, "png", keep)
    made = render.profile_figure(of_draws("new_datasets", 2))
    assert made is not None
    assert made.alt == "Performance profile over class draws of 2 data sets"
    assert "The share of class draws on which a row is at most so many points below the best row " \
           "of the class draw." in made.caption  # fmt: skip
    axes = (drawn[0].get_supxlabel(), drawn[0].get_supylabel())
    assert axes == ("Points below the best row of a class draw", "Share of class draws (%)")
    plain = render.profile_figure(built("new_datasets", 3))
    assert plain is not None
    assert "It describes these data sets." in plain.caption
    assert drawn[1].get_supxlabel() == "Points below the best row of a data set"


def test_the_answer_begins_with_the_mean() -> None:
    best = answer(built("these_datasets", 3, rows=2))
    assert best.startswith(" In the mean of these 3 data sets, at 1 shot, text has the highest")
    report = {"reference": "random"}
    against = answer(built("new_datasets", 3, rows=3, report=report))
    assert against.startswith(" Over data sets like these 3, at 1 shot, the differences from")
    assert "3 data sets that differ are too few for a p-value among 3 comparisons" in against
