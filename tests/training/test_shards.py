"""Shards of features that earlier versions wrote, with hashes of pixels or without."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.training.shards import read_shard, shard_name

IDS = ["a", "b"]
HASH = "0123456789abcdef" * 2


def shard(folder: Path, pixels: str | None) -> Path:
    path = folder / shard_name(IDS)
    np.save(f"{path}.npy", np.array([[1, 1], [0, 0]], np.float32))
    if pixels is not None:
        Path(f"{path}.pixels.json").write_text(pixels)
    ids_file = Path(f"{path}.ids.json")
    ids_file.write_text(json.dumps(IDS))
    return ids_file


def test_rows_come_with_their_hashes(tmp_path: Path) -> None:
    ids, rows_NF, pixels = read_shard(shard(tmp_path, json.dumps([HASH, None])))
    assert (ids, rows_NF.tolist(), pixels) == (IDS, [[1, 1], [0, 0]], [HASH, None])


@pytest.mark.parametrize("pixels", [None, "", "[1", "{}", '["p"]', '["p", 3]'])
def test_a_shard_without_hashes_is_read(pixels: str | None, tmp_path: Path) -> None:
    _, rows_NF, known = read_shard(shard(tmp_path, pixels))
    assert (rows_NF.tolist(), known) == ([[1, 1], [0, 0]], [None, None])


def test_ids_of_other_rows_are_no_shard(tmp_path: Path) -> None:
    path = shard(tmp_path, None)
    path.write_text('["b", "a"]')
    with pytest.raises(ValueError, match="not the hash of its ids"):
        read_shard(path)
    path.write_text('["a"]')
    with pytest.raises(ValueError, match="does not name the rows"):
        read_shard(path)
