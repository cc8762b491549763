"""Lines of lists, and rows of tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data._tables import csv_rows, numbered_lines


def test_empty_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a b \r\n\n  \nc\n")
    assert list(numbered_lines(tmp_path / "x.txt")) == [(1, "a b"), (4, "c")]


def test_rows_by_column(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,name,more\n0,"a, b",1\n1,c,2\n')
    rows = csv_rows(tmp_path / "x.csv", ("id", "name"))
    assert [(row["id"], row["name"]) for row in rows] == [("0", "a, b"), ("1", "c")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no column 'id'; needed: id, name"),
        ("id\n0\n", "there is no column 'name'"),
        ("id,name\n0,a\n1,\n", "line 3: a column is empty"),
        ("id,name\n0\n", "line 2: a column is empty"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        csv_rows(tmp_path / "x.csv", ("id", "name"))
