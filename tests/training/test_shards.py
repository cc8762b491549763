"""Shards of features with the hashes of their pixels, and those of earlier versions without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.training.shards import read_shards, write_shard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_shard(tmp_path, ["a", "b"], [(np.ones(2), "p"), (np.zeros(2), None)])
    return tmp_path


def test_rows_come_with_their_hashes(folder: Path) -> None:
    write_shard(folder, ["c"], [(np.full(2, 3.0), "q")])
    found = read_shards(folder, {"a", "c", "nowhere"})
    assert {i: (h_F.tolist(), p) for i, (h_F, p) in found.items()} == {
        "a": ([1, 1], "p"), "c": ([3, 3], "q"),
    }  # fmt: skip
    assert read_shards(folder, {"b"})["b"][1] is None


@pytest.mark.parametrize("damage", [None, b"", b"[1", b"{}", b'["p"]'])
def test_a_shard_without_hashes_is_read(folder: Path, damage: bytes | None) -> None:
    (path,) = folder.glob("*.pixels.json")
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    h_F, pixels = read_shards(folder, {"a"})["a"]
    assert (h_F.tolist(), pixels) == ([1, 1], None)
