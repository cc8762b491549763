"""Lists and tables in text files: their lines, or rows of a csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import Problems
from harness.core.text_files import lines_of, read_text

#: What may separate the fields of a table: the first line has all needed columns with one of them.
SEPARATORS = (",", ";", "\t")

#: (number of the line, value of every column) of a row
NumberedRow = tuple[int, dict[str, str]]


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of every line that is not empty."""
    for number, line in enumerate(lines_of(read_text(path)), start=1):
        if line:
            yield number, line


def csv_rows(path: Path, columns: Sequence[str], problems: Problems) -> Iterator[NumberedRow]:
    """The rows of a table; none of `columns` is empty in one. Blanks around a value are no part of
    it.

    Rows that are wrong are left out and told as `problems`. One at a time, as a table of 240,000
    rows takes 150 MB.

    Raises DataError for a file that cannot be read, or that lacks a column.
    """
    text = read_text(path)
    fields, separator = _header(path, text.partition("\n")[0], columns)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        next(reader, None)
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            row = dict(zip(fields, (value.strip() for value in values), strict=False))
            empty = [column for column in columns if not row.get(column)]
            where = f"{path}, line {reader.line_num}"
            if len(values) != len(fields):
                problems.add(f"fields of {path}", f"{where}: {len(values)} fields; the first line "
                             f"names {len(fields)}")  # fmt: skip
            elif empty:
                problems.add(f"empty {path}", f"{where}: the {empty[0]} is empty")
            else:
                yield reader.line_num, row
    except csv.Error as error:
        problems.add(f"csv {path}", f"{path}, line {reader.line_num}: {error}")


def columns_of(path: Path) -> frozenset[str]:
    """The names in the first line of a table, whatever separates them. Raises DataError."""
    line = read_text(path).partition("\n")[0]
    return frozenset(name for separator in SEPARATORS for name in _names(line, separator))


def _header(path: Path, line: str, columns: Sequence[str]) -> tuple[list[str], str]:
    """The names of the columns, and what separates them.

    Raises DataError if one of `columns` is missing, or a name is there twice.
    """
    for separator in SEPARATORS:
        names = _names(line, separator)
        twice = [name for name in columns if names.count(name) > 1]
        if twice:
            raise DataError(f"{path}: there are two columns '{twice[0]}'")
        if set(columns) <= set(names):
            return names, separator
    best = max(
        (_names(line, s) for s in SEPARATORS), key=lambda names: len(set(names) & {*columns})
    )
    missing = next(name for name in columns if name not in best)
    found = f"; found: {line.strip()[:200]}" if line.strip() else ""
    raise DataError(
        f"{path}: there is no column '{missing}'; needed: {', '.join(columns)}, separated by "
        f"commas, semicolons or tabs{found}{did_you_mean(_near(missing, best))}"
    )


def _names(line: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _near(missing: str, found: Sequence[str]) -> str | None:
    """The column that was meant, as in 'Path' for 'path'."""
    lower = {name.lower(): name for name in found}
    close = nearest(missing, lower)
    return lower[close] if close else None
