"""Folders that data sets name, texts, and hashes of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data import _files


def test_the_folder_that_is_named(tmp_path: Path) -> None:
    assert _files.folder_at(str(tmp_path), "folder", "x") == tmp_path


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", "dataset 'folder' needs a path, as in folder:flowers"),
        ("no/where", "dataset folder:no/where: there is no folder no/where"),
        ("x" * 5000, "cannot be read: File name too long"),
        ("~nobody-of-this-name/x", "cannot be read"),
    ],
)
def test_folders_that_cannot_be(argument: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as told:
        _files.folder_at(argument, "folder", "flowers")
    assert len(str(told.value)) < 400


def test_a_hash_is_of_the_bytes_as_they_are_now(tmp_path: Path) -> None:
    path = tmp_path / "x.bmp"
    for content in (b"one", b"two"):  # of one size
        path.write_bytes(content)
        os.utime(path, ns=(0, content[0]))
        assert _files.bytes_hash(path) == hashlib.sha256(content).hexdigest()
    path.unlink()
    with pytest.raises(DataError, match=r"picture .*x\.bmp cannot be read: No such file"):
        _files.bytes_hash(path)


def test_identities_change_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    before = _files.file_identities(tmp_path, ["x"])
    assert _files.file_identities(tmp_path, ["x"]) == before
    (tmp_path / "x").write_bytes(b"12")
    assert _files.file_identities(tmp_path, ["x"]) != before


def test_an_argument_where_none_is_taken() -> None:
    assert _files.refuse_argument("", "emoji") is None
    with pytest.raises(DataError, match="dataset 'emoji' takes no argument, not 'x'"):
        _files.refuse_argument("x", "emoji")
