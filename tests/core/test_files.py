"""Files: whole or not there, and what cannot be written is explained."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

import pytest

from harness.core.errors import DiskFull, OutputError
from harness.core.files import cache_folder, explain_oserror, write_atomically


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("HARNESS_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder().name == "harness"


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.txt"
    write_atomically(path, lambda f: f.write(b"one"))
    write_atomically(path, lambda f: f.write(b"two"))
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["x.txt"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"old")

    def write(handle: IO[bytes]) -> None:
        handle.write(b"half")
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_a_full_disk_is_no_place_that_cannot_be_written(tmp_path: Path) -> None:
    def fail(number: int) -> object:
        raise OSError(number, os.strerror(number))

    for number in (errno.ENOSPC, errno.EDQUOT):
        with pytest.raises(DiskFull, match="no space left on the device while writing"):
            write_atomically(tmp_path / "x", lambda _, number=number: fail(number))
    with pytest.raises(OutputError, match=r"cannot write .*x: Permission denied"):
        write_atomically(tmp_path / "x", lambda _: fail(errno.EACCES))
    assert DiskFull.exit_code == 1
    assert OutputError.exit_code == 2
    assert "cannot write" in str(explain_oserror(tmp_path, OSError("no number")))
    assert list(tmp_path.iterdir()) == []
