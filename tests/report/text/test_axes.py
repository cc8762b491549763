"""What the axes of a study are called."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.report.model.labels import ALL_AXES, BESIDE
from harness.report.model.table import build_table
from harness.report.text.axes import axis_title, columns_title, rows_title

from ..studies import few_shot


def test_titles_of_rows_and_columns() -> None:
    table = build_table(few_shot())
    assert (rows_title(table), columns_title(table)) == ("Classifier", "Shots")
    several = replace(table, row_axes=("classifier", "schedule"), column_axes=("recipe.lr",))
    assert rows_title(several) == "Classifier · schedule of the classifier"
    assert columns_title(several) == "Learning rate"


@pytest.mark.parametrize("axis", [*ALL_AXES, *BESIDE])
def test_every_axis_has_a_title_in_words(axis: str) -> None:
    title = axis_title(axis)
    assert re.fullmatch(r"[A-Z][a-z]+([ -][a-z]+)*( \(clips x crops\))?", title)


def test_an_axis_without_a_title_has_its_name() -> None:
    assert axis_title("feature_noise") == "Feature noise"
    assert axis_title("recipe.new_key") == "New key"


def test_a_word_stands_for_nothing_and_for_too_much() -> None:
    table = build_table(few_shot())
    many = replace(table, row_axes=("classifier", "views", "crops", "clip_starts"), column_axes=())
    assert (rows_title(many), columns_title(many)) == ("Row", "Column")
