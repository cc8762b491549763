"""Lines of lists, and rows of tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.data._tables import NumberedRow, columns_of, csv_rows, numbered_lines


def rows(path: Path, *columns: str) -> list[NumberedRow]:
    problems = Problems("x")
    found = list(csv_rows(path, columns or ("id", "name"), problems))
    problems.refuse()
    return found


def test_empty_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a b \r\n\n  \nc\n")
    assert list(numbered_lines(tmp_path / "x.txt")) == [(1, "a b"), (4, "c")]


def test_a_line_ends_at_a_line_feed_alone(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a\x0cb\u2028c\nd", encoding="utf-8")
    assert list(numbered_lines(tmp_path / "x.txt")) == [(1, "a\x0cb\u2028c"), (2, "d")]


def test_rows_by_column(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,name,more\n0,"a, b",1\n\n1, c ,2\n2,"d\ne",\n')
    found = [(number, row["id"], row["name"]) for number, row in rows(tmp_path / "x.csv")]
    assert found == [(2, "0", "a, b"), (4, "1", "c"), (6, "2", "d\ne")]


@pytest.mark.parametrize("separator", [",", ";", "\t", ", ", " ;"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write(tmp_path: Path, separator: str, encoding: str, end: str) -> None:
    lines = [separator.join(fields) for fields in (("id", "name"), ("0", "Größe"))]
    (tmp_path / "x.csv").write_bytes(end.join([*lines, ""]).encode(encoding))
    assert rows(tmp_path / "x.csv") == [(2, {"id": "0", "name": "Größe"})]
    assert columns_of(tmp_path / "x.csv") >= {"id", "name"}


def test_another_separator_may_be_in_a_value(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id;name\n0;red, blue\n")
    assert rows(tmp_path / "x.csv") == [(2, {"id": "0", "name": "red, blue"})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no column 'id'; needed: id, name, separated by commas, semicolons or tabs$"),
        ("id\n0\n", "there is no column 'name'.*; found: id$"),
        ("id|name\n0|a\n", r"there is no column 'id'.*found: id\|name"),
        ("Id,Name\n0,a\n", "there is no column 'id'.*Did you mean 'Id'"),
        ("id,name,name\n0,a,b\n", "there are two columns 'name'"),
        ("id,name\n0,a\n1,\n", "line 3: the name is empty"),
        ("id,name\n0,a\n1,  \n", "line 3: the name is empty"),
        ("id,name\n0\n", "line 2: 1 fields; the first line names 2"),
        ("id,name\n0,red, blue\n", "line 2: 3 fields; the first line names 2"),
        ('id,name\n0,"red\n', "line 2: unexpected end of data"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=rf"x\.csv.*{said}"):
        rows(tmp_path / "x.csv")


def test_all_rows_that_are_wrong_are_told(tmp_path: Path) -> None:
    bad = "".join(f"{n},\n" for n in range(30))
    (tmp_path / "x.csv").write_text(f"id,name\n{bad}30\n")
    with pytest.raises(DataError) as told:
        rows(tmp_path / "x.csv")
    lines = str(told.value).split("\n")
    assert lines[0] == "x: 31 problems:"
    assert [line.strip().partition(", ")[2] for line in lines[1:21]] == [
        f"line {n}: the name is empty" for n in range(2, 22)
    ]
    assert lines[21] == "  ... and 10 more"
    assert lines[22].endswith("line 32: 1 fields; the first line names 2")
