"""The identity of a file: what changes it, and what does not."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from harness.core.identity import identities, identity, seconds_to_settle

SECOND = 1_000_000_000


def test_other_bytes_of_one_size_with_the_old_time(tmp_path: Path) -> None:
    """`cp -p` over a file, and a new file in its place."""
    path, other = tmp_path / "x", tmp_path / "other"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    os.utime(other, ns=(0, path.stat().st_mtime_ns))
    before = identity(path)
    time.sleep(0.02)
    shutil.copy2(other, path)
    copied = identity(path)
    assert copied[:2] == before[:2]
    assert copied != before
    other.replace(path)
    assert identity(path) != copied


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    before = identity(path)
    assert path.read_bytes() == b"one"
    assert identity(str(path)) == before
    with path.open("rb") as handle:
        assert identity(handle.fileno()) == before


def test_many_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    items = ["x", "deep/y"]
    for item in items:
        (tmp_path / item).write_text(item)
    os.utime(tmp_path / "x", ns=(0, -5 * SECOND))  # before 1970
    found_N4 = identities(tmp_path, items)
    assert [tuple(row) for row in found_N4.tolist()] == [identity(tmp_path / i) for i in items]
    assert identities(tmp_path, []).shape == (0, 4)
    with pytest.raises(FileNotFoundError) as told:
        identities(tmp_path, ["gone"])
    assert told.value.filename == str(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        identities(tmp_path, ["pipe"])


def test_a_file_of_this_moment_may_still_change() -> None:
    now = 1_700_000_000 * SECOND + 7
    assert seconds_to_settle((1, now - SECOND, now - SECOND + 1, 2), now) == 0
    assert 0 < seconds_to_settle((1, now - SECOND, now - 1_000_000, 2), now) < 0.1
    assert 0 < seconds_to_settle((1, now - 1_000_000, now - SECOND, 2), now) < 0.1
    whole = now - 7 - SECOND  # a file system that counts whole seconds
    assert seconds_to_settle((1, whole, whole, 2), now) == pytest.approx(1, abs=1e-6)
    assert seconds_to_settle((1, whole - SECOND, whole - SECOND, 2), now) == 0
