"""One sentence about several columns."""

from __future__ import annotations

import re

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.text.over_columns import MOST_NAMED, against_reference

from ..studies import make_results, name_of, task_of


def test_rows_that_win_equally_often_are_in_the_order_of_the_table() -> None:
    """Not in that of a set, which is another one in every process."""

    def accuracy(cell: Cell) -> float:
        return 0.2 if name_of(cell) == "random" else 0.9

    table = build_table(make_results(task_of(), accuracy))
    said = re.findall(r"(\w+) (?:beats random|does so)", against_reference(table))
    others = [row for row in table.rows if row != "random"]
    assert said == others[:MOST_NAMED]
    assert len(others) > MOST_NAMED
