"""Keys hold bytes: other bytes under the same name, size and time are noticed, of every kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.core import hashes
from harness.core.errors import DataError
from harness.core.hashes import Read
from harness.data._own_files import OwnFiles

from . import hub_images, sources, videos
from .pictures import read
from .test_coop import read as read_coop

ALL = {"train": [0, 1], "test": [0, 1]}


def bmp(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)


def bitmaps(root: Path) -> Path:
    """Two classes; all files are of one size."""
    for c, label in enumerate(("oak", "elm")):
        for split in ("train", "test"):
            for n in range(3):
                bmp(root / split / label / f"{n}.bmp", 100 * c + 10 * n + 3 * (split == "test"))
    return root


def turned(root: Path, pattern: str) -> None:
    """Other bytes in every file, under its size and its time of the last write."""
    for path in sorted(root.rglob(pattern)):
        if path.is_file():
            before, content = path.stat(), path.read_bytes()
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 255]))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert path.stat().st_size == before.st_size
            assert path.stat().st_mtime_ns == before.st_mtime_ns


def extracted(root: Path) -> Path:
    for split in ("train", "test"):
        for c, name in enumerate(("run", "hop")):
            for n in range(8):
                bmp(root / f"{split}_{name}" / f"{n:03d}.bmp", 100 * c + n)
        lines = [f"{split}_{name} 8 {c}\n" for c, name in enumerate(("run", "hop"))]
        (root / f"{split}.txt").write_text("".join(lines))
    (root / "labels.csv").write_text("id,name\n0,run\n1,hop\n")
    return root


def filmed(root: Path) -> Path:
    for split in ("train", "test"):
        videos.put(root, [f"{split}/run/1.mp4"], split.encode())
        videos.put(root, [f"{split}/hop/1.mp4"], split.encode() + b"2")
    return root


Make = Callable[[Path], Path]
KINDS: dict[str, tuple[Make, Callable[[Path], OwnFiles], str]] = {
    "folder": (bitmaps, read, "*.bmp"),
    "imagefolder": (sources.class_folders, hub_images.read, "*.png"),
    "parquet": (sources.parquet, hub_images.read, "*.parquet"),
    "saved": (sources.saved, hub_images.read, "*.arrow"),
    "coop": (sources.coop, read_coop, "*.*g"),
    "videos": (filmed, videos.read, "*.mp4"),
    "frames": (extracted, videos.read, "*.bmp"),
}
FILES = [kind for kind in KINDS if kind not in ("parquet", "saved")]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def content(kind: str, root: Path, **used: Any) -> str:
    return KINDS[kind][1](root).content(used or ALL)


@pytest.mark.parametrize("kind", FILES)
def test_other_bytes_of_the_same_size_and_time(kind: str, tmp_path: Path) -> None:
    make, opened, pattern = KINDS[kind]
    root = make(tmp_path / "data")
    data = opened(root)
    before, item = data.content(ALL), data.test.ids[0]
    print_, manifest = data.fingerprint(item), data.manifest
    turned(root, pattern)
    after = opened(root)
    assert after.content(ALL) != before
    assert after.fingerprint(item) != print_
    assert after.manifest == manifest, "the size-based hash sees nothing"


def test_the_same_bytes_elsewhere(kind: str, tmp_path: Path) -> None:
    """In another folder, with other times and inodes."""
    make = KINDS[kind][0]
    root = make(tmp_path / "data")
    top = tmp_path / "data"
    other = tmp_path / "elsewhere" / "data"
    shutil.copytree(top, other, copy_function=shutil.copyfile)
    assert content(kind, other / root.relative_to(top)) == content(kind, root)


def test_nothing_is_read_twice(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, opened, _ = KINDS[kind]
    root = make(tmp_path / "data")
    before = opened(root)
    assert before.unhashed(ALL).items > 0
    value, prints = before.content(ALL), [before.fingerprint(i) for i in before.test.ids[:2]]

    def refuse(path: Path) -> Read:
        raise AssertionError(f"{path} is read again")

    monkeypatch.setattr(hashes, "read_file", refuse)
    monkeypatch.setattr("harness.data._hf_hashes.read_file", refuse)
    again = opened(root)
    assert again.unhashed(ALL) == (0, 0)
    assert again.content(ALL) == value
    assert [again.fingerprint(i) for i in again.test.ids[:2]] == prints


@pytest.mark.parametrize("kind", FILES)
def test_only_what_is_used_is_read(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of another class or split is no change, and is not looked at."""
    make, opened, pattern = KINDS[kind]
    root = make(tmp_path / "data")
    used = {"test": [1]}
    data = opened(root)
    whole, one = data.content(ALL), data.content(used)
    chosen = [i for i, c in zip(data.test.ids, data.test.labels, strict=True) if c == 1]
    assert opened(root).unhashed(used) == (0, 0)
    for item in data.train.ids:
        path = data.root / item if kind != "imagefolder" else root / "train"
        if path.is_dir():
            turned(path, pattern)
        else:
            path.write_bytes(b"other")
    assert opened(root).content(used) == one
    assert opened(root).content({"test": [0, 1]}) != one
    assert opened(root).content(ALL) != whole
    assert chosen


def test_a_touched_file_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = bitmaps(tmp_path)
    before = read(root).content(ALL)
    os.utime(root / "test/oak/1.bmp")
    seen: list[str] = []
    whole = hashes.read_file
    monkeypatch.setattr(hashes, "read_file", lambda path: seen.append(path.name) or whole(path))
    assert read(root).content(ALL) == before
    assert seen == ["1.bmp"]


def test_names_splits_classes_and_groups_are_part_of_it(tmp_path: Path) -> None:
    root = bitmaps(tmp_path / "a")
    found = {read(root).content(ALL)}
    (root / "test/oak/1.bmp").rename(root / "test/oak/7.bmp")
    found.add(read(root).content(ALL))
    (root / "test/oak/7.bmp").rename(root / "train/oak/7.bmp")
    found.add(read(root).content(ALL))
    (root / "test/elm").rename(root / "test/ash")
    (root / "train/elm").rename(root / "train/ash")
    found.add(read(root).content(ALL))
    listed = bitmaps(tmp_path / "b")
    for groups in ("ab", "aa", "bb", ""):
        lines = ["path,label,split,group"] + [
            f"{split}/{label}/{n}.bmp,{label},{split},{groups[n] if n < len(groups) else ''}"
            for split in ("train", "test") for label in ("oak", "elm") for n in range(3)
        ]  # fmt: skip
        (listed / "labels.csv").write_text("\n".join(lines))
        found.add(read(listed).content(ALL))
    assert len(found) == 4 + 2, "without groups as at first; 'aa' as 'bb'"


def test_a_part_of_a_data_set_has_a_hash_of_its_own(tmp_path: Path) -> None:
    data = read(bitmaps(tmp_path))
    uses = [{}, {"test": [0]}, {"test": [1]}, {"train": [0]}, {"test": [0, 1]}, ALL]
    assert len({data.content(used) for used in uses}) == len(uses)
    assert data.content({"val": [0, 1]}) == data.content({"val": [0, 1]})


def test_an_item_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    root = bitmaps(tmp_path)
    data = read(root)
    (root / "test/oak/1.bmp").unlink()
    for call in (data.content, data.unhashed):
        with pytest.raises(DataError, match=r"picture .*oak/1\.bmp cannot be read: No such file"):
            call(ALL)
    assert data.content({"train": [0, 1]})


def test_progress_counts_items(tmp_path: Path) -> None:
    data = read(bitmaps(tmp_path))
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.bmp"))
    told: list[tuple[int, int]] = []
    assert data.unhashed(ALL) == (12, size)
    data.content(ALL, lambda *counts: told.append(counts))
    assert told[-1] == (12, 12)


def test_a_table_that_was_replaced(tmp_path: Path) -> None:
    """Parquet files of one size and time: the library would go on with the tables of the old."""
    root = sources.parquet(tmp_path / "data")
    before, size = content("parquet", root), (root / "train-00000-of-00001.parquet").stat()
    pixels = sources.encoded(0, 0)
    other = sources.parquet(tmp_path / "other", pictures={0: pixels[:-1] + bytes([pixels[-1] ^ 1])})
    new = other / "train-00000-of-00001.parquet"
    assert new.stat().st_size == size.st_size
    shutil.copyfile(new, root / new.name)
    os.utime(root / new.name, ns=(size.st_atime_ns, size.st_mtime_ns))
    assert content("parquet", root) != before
