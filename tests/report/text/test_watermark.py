"""The warning about configurations that were chosen on the test set."""

from __future__ import annotations

from typing import Any

from harness.report.model.table import Table, build_table
from harness.report.text.watermark import chosen_on_test, warning

from ..studies import MIXED, ON_TEST, few_shot_accuracy, make_results, task_of

MARKED = ["text · chosen on test", "random · chosen on test"]


def table_of(changes: dict[str, Any]) -> Table:
    return build_table(make_results(task_of(**changes), few_shot_accuracy))


def test_rows_carry_the_mark_in_their_label() -> None:
    table = table_of(ON_TEST)
    assert list(table.rows) == MARKED == chosen_on_test(table)
    assert table.reference == MARKED[1]  # report.reference still finds it by its value
    assert "of every row were chosen" in warning(table)


def test_other_rows_do_not() -> None:
    table = table_of(MIXED)
    assert {row for row in table.rows if "chosen on test" not in row} == {"text · lr=0.0003"}
    assert chosen_on_test(table) == MARKED
    assert f"of {MARKED[0]} and {MARKED[1]} were chosen" in warning(table)


def test_there_is_none_where_nothing_was_chosen_so() -> None:
    table = table_of({"classifier": ["text", "random"], "include": []})
    assert chosen_on_test(table) == []
    assert warning(table) == ""
