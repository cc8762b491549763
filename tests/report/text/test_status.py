"""Why an entry has no number, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.records import Record
from harness.report.model.entry import DONE, FAILED, MISSING, Entry
from harness.report.text.status import in_a_cell, status_of


def entry(status: str, statuses: str = "", wanted: int = 5, *reasons: str) -> Entry:
    """An entry whose Records are done (d) or failed (f)."""
    kinds = {"d": "done", "f": "failed"}
    cell: dict[str, Any] = {}
    records = tuple(Record(str(i), cell, kinds[s]) for i, s in enumerate(statuses))
    return Entry(status, statuses.count("d"), wanted, records=records, reasons=reasons)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([entry(MISSING, "ddd")], "missing (3 of 5 seeds done)"),
        ([entry(MISSING)], "missing (0 of 5 seeds done)"),
        ([entry(MISSING, "", 1)], "missing"),
        ([entry(FAILED, "fdfdd", 5, "CellError: x")], "failed (2 of 5 seeds)"),
        ([entry(FAILED, "fff", 5, "CellError: x")], "failed (3 of 5 seeds)"),
        ([entry(FAILED, "f", 1, "CellError: x")], "failed"),
        ([entry(FAILED, "ddddd", 5, "its test set was not found")],
         "failed: its test set was not found"),
        ([entry(FAILED, "ddddd", 5, "x" * 41)], "failed"),
        ([entry(FAILED, "ddddd", 5, "one", "two")], "failed"),
        ([entry(DONE, "ddddd"), entry(MISSING, "dd")], "missing (7 of 10 runs done)"),
        ([entry(DONE, "ddddd"), entry(FAILED, "ff")], "failed (2 of 10 runs)"),
        ([entry(DONE, "d", 1), entry(MISSING, "", 1)], "missing (1 of 2 runs done)"),
    ],
)  # fmt: skip
def test_a_cell_says_what_it_lacks(entries: list[Entry], text: str) -> None:
    assert in_a_cell(entries) == text


def test_without_the_reason_where_it_follows() -> None:
    found = entry(FAILED, "ddddd", 5, "its test sets differ")
    assert status_of([found]) == "failed"
    assert in_a_cell([found]) == "failed: its test sets differ"
    assert in_a_cell([replace(found, reasons=())]) == "failed"
