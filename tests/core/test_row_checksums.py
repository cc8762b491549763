"""Checksums of rows: equal for equal numbers, and kept for files of many rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core import row_checksums as rc

ROWS = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float16)
CONTENT = "ab" * 32
NOT_READ = np.full((9, 5), np.nan, np.float16)


@pytest.fixture(autouse=True)
def few_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    monkeypatch.setattr(rc, "MANY", 9)
    monkeypatch.setattr(rc, "_TOGETHER", 4)


def test_equal_numbers_have_equal_checksums_in_any_precision() -> None:
    twice = ROWS.copy()
    twice[7] = twice[2]
    sums_N = rc.row_checksums(twice, CONTENT)
    assert sums_N[7] == sums_N[2]
    assert len(set(sums_N.tolist())) == 8
    assert rc.row_checksums(twice.astype(np.float64), "cd" * 32).tolist() == sums_N.tolist()


def test_they_are_kept_and_not_computed_again() -> None:
    before = rc.row_checksums(ROWS, CONTENT)
    assert rc.row_checksums(NOT_READ, CONTENT).tolist() == before.tolist()
    assert rc.row_checksums(NOT_READ, "cd" * 32).tolist() != before.tolist(), "another file"


def test_those_of_few_rows_are_not_kept(tmp_path: Path) -> None:
    assert len(rc.row_checksums(ROWS[:8], CONTENT)) == 8
    assert not list(tmp_path.iterdir())
    assert rc.kept_checksums(CONTENT, 8) is None


@pytest.mark.parametrize("at", [-1, -20, -100])
def test_damage_is_noticed(tmp_path: Path, at: int) -> None:
    before = rc.row_checksums(ROWS, CONTENT)
    (file,) = tmp_path.rglob("*.npy")
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    assert rc.kept_checksums(CONTENT, 9) is None
    assert rc.row_checksums(ROWS, CONTENT).tolist() == before.tolist()
    kept = rc.kept_checksums(CONTENT, 9)
    assert kept is not None, "written anew"


def test_a_file_of_other_rows_is_not_taken() -> None:
    rc.row_checksums(ROWS, CONTENT)
    assert rc.kept_checksums(CONTENT, 10) is None
