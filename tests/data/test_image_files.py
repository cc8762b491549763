"""Picture files: parts, fingerprints of the content, and errors that count the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import paint

from harness.core.errors import DataError
from harness.core.protocols.plugin import NoOptions
from harness.data._image_files import ImageFiles, opened_once
from harness.data._items import items_of

from . import sources
from .pictures import read


def files(root: Path, *items: str, reference: str = "") -> ImageFiles:
    rows = [(item, 0, "") for item in items]
    parts = {"first": [0]}
    return ImageFiles(
        root, ("a", "b"), items_of([]), items_of(rows), "m", parts, reference=reference
    )


def test_parts_by_name(tmp_path: Path) -> None:
    data = files(tmp_path)
    assert list(data.part("all")) == [0, 1]
    assert data.part("first") == [0]
    with pytest.raises(
        DataError, match=r"no part 'frist'; allowed: all, first\. Did you mean 'first'"
    ):
        data.part("frist")


def test_a_fingerprint_is_of_the_bytes_whatever_file_holds_them(tmp_path: Path) -> None:
    paint(tmp_path, {"x.png": (200, 0, 0), "y.png": (200, 0, 0), "z.png": (0, 9, 0)})
    data = files(tmp_path, "x.png", "y.png", "z.png")
    assert data.fingerprint("x.png") == data.fingerprint("y.png") != data.fingerprint("z.png")
    before = data.fingerprint("z.png")
    paint(tmp_path, {"z.png": (0, 10, 0)})
    assert data.fingerprint("z.png") != before


def test_a_fingerprint_is_that_of_the_same_bytes_in_another_kind_of_data_set(
    tmp_path: Path,
) -> None:
    sources.class_folders(tmp_path)
    item = f"train/{sources.NAMES[0]}/0.png"
    assert read(tmp_path).fingerprint(item) == files(tmp_path, item).fingerprint(item)


def test_an_error_counts_the_others_that_cannot_be_read(tmp_path: Path) -> None:
    paint(tmp_path, {"x.png": (1, 2, 3), "y.png": (1, 2, 4)})
    (tmp_path / "x.png").unlink()
    data = files(tmp_path, "x.png", "y.png", reference="folder:mine")
    for call in (data.image, data.fingerprint):
        with pytest.raises(DataError, match=r"x\.png.*; 1 of the 2 pictures of folder:mine"):
            call("x.png")
    for call in (data.read, data.read_whole, data.content_hash):
        with pytest.raises(DataError, match=r"x\.png cannot be read: [^;]*$"):
            call("x.png")


def test_of_embedded_data_nothing_is_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.png cannot be read: [^;]*$"):
        files(tmp_path, "x.png").image("x.png")


def test_a_data_set_is_opened_once(tmp_path: Path) -> None:
    calls: list[str] = []

    @opened_once
    def open_dataset(argument: str, options: NoOptions) -> ImageFiles:
        calls.append(argument)
        return files(tmp_path)

    assert open_dataset("x", NoOptions()) is open_dataset("x", NoOptions())
    assert open_dataset("y", NoOptions()) is not open_dataset("x", NoOptions())
    assert calls == ["x", "y"]
