"""Blocks of a mapped file: all rows in order, and few of them in memory at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.mapped import blocks, give_back


def resident_mb() -> float:
    """Pages of mapped files that this process has in memory."""
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("only Linux says so")
    (line,) = (x for x in status.read_text().splitlines() if x.startswith("RssFile"))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("rows", [1, 7, 10, 100])
def test_all_rows_in_order(rows: int, tmp_path: Path) -> None:
    x_NF = np.arange(20.0).reshape(10, 2)
    np.save(tmp_path / "x.npy", x_NF)
    for table_NF in (x_NF, np.load(tmp_path / "x.npy", mmap_mode="r")):
        found = [np.array(block) for block in blocks(table_NF, rows)]
        assert max(map(len, found)) <= rows
        assert np.array_equal(np.concatenate(found), x_NF)
    assert list(blocks(x_NF[:0], rows)) == []


def test_a_look_at_a_large_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((64, 2**18), np.float32))  # 64 MB
    table_NF = np.load(tmp_path / "x.npy", mmap_mode="r")
    before = resident_mb()
    for block in blocks(table_NF, 4):
        assert float(block.sum()) == 4 * 2**18
        assert resident_mb() < before + 24
    assert float(table_NF.sum()) == 64 * 2**18, "it is read again"
    assert resident_mb() > before + 48
    give_back(table_NF)
    assert resident_mb() < before + 24


def test_what_was_changed_in_memory_is_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 4)))
    table_NF = np.load(tmp_path / "x.npy", mmap_mode="c")
    table_NF[1] = 5
    assert [float(block.sum()) for block in blocks(table_NF, 1)] == [0, 20, 0, 0]
    assert float(table_NF.sum()) == 20
