"""A cell that fails is a failed Record with its reason; the others go on, and it can be retried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Call, records

from .lab import CELLS, SEEDS, SLOW, assert_equal_to, stamps


def test_failed_cells(
    task: str, reference: Path, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    monkeypatch.setenv("LAB_FAILS", "1")
    ended = cli("grid", task)
    assert ended.code == 1
    first = records(runs)
    failed = {key for key, r in first.items() if r["status"] == "failed"}
    assert len(first) == CELLS
    assert 0 < len(failed) < SEEDS, "some seeds fail, some do not"
    for key in failed:
        error = first[key]["error"]
        assert error["type"] == "RuntimeError"
        assert error["message"] == "the lab burnt down"
        assert "laboratory" in error["traceback"]
        assert first[key]["cell"]["classifier"] == SLOW
    assert "the lab burnt down" in ended.err
    assert "Traceback" not in ended.err
    report = (tmp_path / "reports" / "tiny.md").read_text()
    assert "the lab burnt down" in report
    assert len(re.findall("failed", report)) >= 1
    rows = (tmp_path / "reports" / "tiny.csv").read_text().splitlines()
    assert sum(",failed," in row for row in rows) == len(failed)
    assert cli("status", task).code == 1

    before = stamps(runs)
    monkeypatch.delenv("LAB_FAILS")
    assert cli("grid", task).code == 1, "without being asked nothing failed is run again"
    assert stamps(runs) == before

    again = cli("grid", task, "--retry-failed")
    assert again.code == 0
    assert f"{len(failed)} to run" in again.err
    after = stamps(runs)
    assert {k: v for k, v in after.items() if k not in failed} == {
        k: v for k, v in before.items() if k not in failed
    }
    assert_equal_to(reference, tmp_path)
