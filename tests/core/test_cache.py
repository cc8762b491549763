"""What is kept in the cache: computed once, again where it is damaged, not at all where it must not
be written.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.core.cache import cached_json, keep, problems
from harness.core.errors import DiskFull


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    problems()


def test_what_was_computed_is_kept_unless_it_is_damaged(tmp_path: Path) -> None:
    calls: list[int] = []

    def compute() -> dict[str, int]:
        calls.append(1)
        return {"x": len(calls)}

    assert [cached_json("k", "key", compute) for _ in range(2)] == [{"x": 1}] * 2
    (kept,) = (tmp_path / "cache" / "k").glob("*.json")
    kept.write_text('{"x": ')
    assert cached_json("k", "key", compute) == {"x": 2}
    assert cached_json("k", "other key", compute) == {"x": 3}
    assert cached_json("k", "key", compute, lambda kept: "y" in kept) == {"x": 4}


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_folder_that_cannot_be_written_is_noted_once(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    for name in "ab":
        assert not keep(tmp_path / "cache" / name, lambda f: f.write(b"x"))
    assert cached_json("k", "key", lambda: 5) == 5
    (note,) = problems()
    assert note.startswith(f"the cache folder {tmp_path / 'cache'} cannot be written")
    assert os.strerror(code) in note
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DiskFull):
        keep(tmp_path / "cache" / "x", lambda f: f.write(b"x"))
