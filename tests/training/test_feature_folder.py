"""Blocks of features: found, checked, merged; and what several processes do at once."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import numpy as np
import pytest

from harness.training import feature_folder as module
from harness.training.blocks import (
    block_of,
    checksums,
    ids_of,
    pixel_texts,
    pixel_words,
    write_block,
)
from harness.training.feature_folder import Search, list_files, merge
from harness.training.shards import shard_name


def row(number: int) -> list[float]:
    return [number, number + 0.5, -number]


def add(folder: Path, *numbers: int) -> None:
    rows_NF = np.array([row(n) for n in numbers], np.float32)
    pixels = [f"{n:032x}" if n else None for n in numbers]
    write_block(folder, block_of(ids_of([f"id {n}" for n in numbers]), rows_NF, pixels))


def search(folder: Path, *numbers: int) -> Search:
    found = Search(ids_of([f"id {n}" for n in numbers]))
    found.look_in(folder)
    return found


def check(folder: Path, *numbers: int) -> None:
    found = search(folder, *numbers)
    assert found.missing().tolist() == []
    assert found.rows(3).gather().tolist() == [row(n) for n in numbers]
    assert found.pixels() == [f"{n:032x}" if n else None for n in numbers]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 40 rows of 12 bytes; large from 20."""
    monkeypatch.setattr(module, "BLOCK_BYTES", 12 * 40)


def test_rows_of_several_blocks_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    add(tmp_path, 1, 2, 3)
    add(tmp_path, 7, 0)
    check(tmp_path, 0, 3, 3, 1, 7, 0)
    assert search(tmp_path, 9, 1, 8, 9, 8).missing().tolist() == [0, 2]


def test_nothing_is_there(tmp_path: Path) -> None:
    assert search(tmp_path / "nowhere", 1, 1).missing().tolist() == [0]
    assert search(tmp_path).rows(3).gather().shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 3, 8])
def test_every_change_of_a_row_changes_its_checksum(dtype: type, width: int) -> None:
    rows_NF = np.arange(4 * width).reshape(4, width).astype(dtype)
    before = checksums(rows_NF)
    assert len({int(c) for c in before} - {0}) == 4
    raw = rows_NF.view(np.uint8)
    for byte in range(raw.shape[1]):
        raw[2, byte] ^= 4
        assert (checksums(rows_NF) == before).tolist() == [True, True, False, True]
        raw[2, byte] ^= 4
    assert (checksums(np.zeros_like(rows_NF)) != 0).all()


def test_hashes_of_pixels_are_kept_as_they_are() -> None:
    hashes = ["0123456789abcdef" * 2, None, "f" * 32]
    assert pixel_texts(pixel_words(hashes)) == hashes


def test_small_blocks_are_merged_and_large_ones_left(tmp_path: Path, small_blocks: None) -> None:
    for n in range(0, 45, 5):
        add(tmp_path, *range(n, n + 5))
        merge(tmp_path)
    assert len(names(tmp_path)) == 4
    (large,) = [file.path for file in list_files(tmp_path) if file.is_large]
    check(tmp_path, *range(44, -1, -1))
    for n in range(40, 100):
        add(tmp_path, n)  # some of them are there
    merge(tmp_path)
    check(tmp_path, *range(100))
    assert large in [file.path for file in list_files(tmp_path)]
    assert len(names(tmp_path)) == 6


def test_many_files_are_merged_whatever_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 3)
    for n in range(3):
        add(tmp_path, n)
    merge(tmp_path)
    assert len(names(tmp_path)) == 6
    add(tmp_path, 3)
    merge(tmp_path)
    assert len(names(tmp_path)) == 2
    check(tmp_path, 3, 2, 1, 0)


def test_shards_of_an_earlier_version_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 1)
    ids = ["id 4", "id 5"]
    path = tmp_path / shard_name(ids)
    np.save(f"{path}.npy", np.array([row(4), row(5)], np.float32))
    Path(f"{path}.pixels.json").write_text(json.dumps([f"{n:032x}" for n in (4, 5)]))
    Path(f"{path}.ids.json").write_text(json.dumps(ids))
    add(tmp_path, 1)
    check(tmp_path, 1, 5, 4)
    merge(tmp_path)
    assert [name.split(".")[1] for name in names(tmp_path)] == ["index", "npy"]
    check(tmp_path, 1, 5, 4)


def test_a_damaged_row_is_missing_and_does_not_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, 1, 2)
    (path,) = tmp_path.glob("*.npy")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert search(tmp_path, 1, 2).missing().tolist() == [1]
    monkeypatch.setattr(module, "MOST_FILES", 1)
    add(tmp_path, 3)
    merge(tmp_path)
    assert search(tmp_path, 1, 2, 3).missing().tolist() == [1]
    add(tmp_path, 2)
    check(tmp_path, 1, 2, 3)


def test_one_process_merges_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 1)
    add(tmp_path, 1)
    add(tmp_path, 2)
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    merge(tmp_path)
    assert len(names(tmp_path)) == 4
    os.close(other)
    merge(tmp_path)
    assert len(names(tmp_path)) == 2


def test_what_is_merged_while_a_reader_reads_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 1)
    add(tmp_path, 1)
    add(tmp_path, 2)
    listed = list_files(tmp_path)
    merge(tmp_path)
    answers = iter([listed, list_files(tmp_path)])
    monkeypatch.setattr(module, "list_files", lambda folder: next(answers))
    check(tmp_path, 2, 1)
