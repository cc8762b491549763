"""Lists and tables in text files: their lines, or rows of a csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.core.errors import DataError
from harness.data._files import read_text


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of every line that is not empty."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def csv_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table; none of `columns` is empty in one.

    Raises DataError, naming file and line.
    """
    try:
        reader = csv.DictReader(read_text(path).splitlines())
        missing = [c for c in columns if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{path}: there is no column '{missing[0]}'; needed: {', '.join(columns)}"
            )
        rows = list(reader)
    except csv.Error as error:
        raise DataError(f"{path} is no csv: {error}") from error
    for number, row in enumerate(rows, start=2):
        if any(not (row[c] or "").strip() for c in columns):
            raise DataError(f"{path}, line {number}: a column is empty")
    return rows
