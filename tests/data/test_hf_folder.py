"""What the datasets library passes over in a folder of pictures: counted and named."""

from __future__ import annotations

import os
from pathlib import Path

from harness.data._hf_folder import passed_over

from . import sources
from .hub_images import read


def add(root: Path, path: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(sources.encoded(0, 77))


def test_splits_that_the_library_does_not_know_are_noted(tmp_path: Path) -> None:
    root = sources.class_folders(tmp_path / "data")
    before = read(root)
    assert before.notes == ()
    add(root, f"more/{sources.NAMES[0]}/7.png")
    add(root, f"extra/{sources.NAMES[0]}/7.png")
    after = read(root)
    assert after.manifest == before.manifest
    (note,) = after.notes
    name = sources.NAMES[0]
    assert note.endswith(f"not read: 2 (extra/{name}/7.png, more/{name}/7.png).")


def test_pictures_of_a_split_that_is_not_used_are_not_noted(tmp_path: Path) -> None:
    root = sources.class_folders(tmp_path / "data")
    add(root, f"validation/{sources.NAMES[0]}/7.png")
    (root / "validation" / "x.heic").write_bytes(b"")
    os.mkfifo(root / "validation" / "x.png")
    assert read(root).notes == ()


def test_a_data_set_whose_pictures_are_no_files(tmp_path: Path) -> None:
    root = sources.parquet(tmp_path / "data")
    add(root, "x.png")
    data = read(root)
    content = passed_over(str(root), data.columns.values(), ())
    assert (content.files, content.special, content.other) == ([], {}, {})
