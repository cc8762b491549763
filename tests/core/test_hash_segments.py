"""Segments: the newest entry of an item wins, and none is lost when they become one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from harness.core.hash_segments import (
    ENTRY,
    item_keys,
    load_segments,
    merge_segments,
    newest,
    segment_paths,
    write_segment,
)


def segment(**sizes: int) -> np.ndarray:  # type: ignore[type-arg]
    entries = np.zeros(len(sizes), dtype=ENTRY)
    entries["item"] = item_keys(list(sizes))
    entries["identity"][:, 0] = list(sizes.values())
    return newest([entries])


def sizes_of(entries: np.ndarray) -> dict[int, int]:  # type: ignore[type-arg]
    return dict(zip(entries["item"].tolist(), entries["identity"][:, 0].tolist(), strict=True))


def test_names_stand_for_64_bits() -> None:
    names = ["a", "b", "a/b", "ä", "\udcff"]
    keys_N = item_keys(names)
    assert len(set(keys_N.tolist())) == 5
    assert item_keys(["b"])[0] == keys_N[1]
    assert item_keys([]).shape == (0,)


def test_of_several_entries_the_last_counts() -> None:
    together = newest([segment(a=1, b=2), segment(b=3, c=4)])
    a, b, c = item_keys(["a", "b", "c"]).tolist()
    assert sizes_of(together) == {a: 1, b: 3, c: 4}
    assert together["item"].tolist() == sorted((a, b, c))


def test_many_become_one(tmp_path: Path) -> None:
    for n in range(4):
        entries = segment(**{"same": n, f"own{n}": n})
        assert write_segment(tmp_path, entries)
        newest_path = max(tmp_path.glob("*.npy"), key=lambda p: p.stat().st_mtime_ns)
        os.utime(newest_path, ns=(n, n))
    merge_segments(tmp_path)
    (merged,) = load_segments(tmp_path)
    keys = item_keys(["same", "own0", "own1", "own2", "own3"]).tolist()
    assert sizes_of(merged) == dict(zip(keys, (3, 0, 1, 2, 3), strict=True))
    before = segment_paths(tmp_path)
    merge_segments(tmp_path)  # one alone stays as it is
    assert segment_paths(tmp_path) == before
