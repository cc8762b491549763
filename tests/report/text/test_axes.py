"""What the axes of a study are called."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.table import build_table
from harness.report.text.axes import columns_title, rows_title

from ..studies import few_shot


def test_titles_of_rows_and_columns() -> None:
    table = build_table(few_shot())
    assert (rows_title(table), columns_title(table)) == ("Classifier", "Shots")
    several = replace(table, row_axes=("classifier", "schedule"), column_axes=("recipe.lr",))
    assert rows_title(several) == "Classifier · schedule of the classifier"
    assert columns_title(several) == "recipe.lr"


def test_a_word_stands_for_nothing_and_for_too_much() -> None:
    table = build_table(few_shot())
    many = replace(table, row_axes=("classifier", "views", "crops", "clip_starts"), column_axes=())
    assert (rows_title(many), columns_title(many)) == ("Row", "Column")
