"""A full disk at any write: one message, no half-written file, and every finished cell is safe."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Call, Ended, body, hashes, leftovers, records

from harness.core import files
from harness.core.store import Store

from .lab import CELLS, stamps


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 160 KiB, where the tests may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def assert_full(ended: Ended, runs: Path) -> None:
    assert ended.code == 1
    assert len(ended.errors()) == 1
    assert ended.err.splitlines()[-1] == ended.errors()[0]
    assert "no space left" in ended.err
    assert str(runs) in ended.errors()[0]
    assert "Traceback" not in ended.err
    assert leftovers(runs) == []
    store = Store(runs)
    for key in records(runs):
        record = store.read(key)
        assert record is not None
        assert record.status == "done"
        assert set(store.arrays(record)) >= {"prediction", "rank", "w_final"}


def test_full_disk(task: str, reference: Path, cli: Call, small_disk: Path, tmp_path: Path) -> None:
    runs = small_disk / "runs"
    ended = cli("grid", task, "--runs", runs, "--jobs", "1")
    assert_full(ended, runs)
    before = stamps(runs)
    assert 2 <= len(before) < CELLS, "the disk was to be full in the middle"

    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    assert cli("grid", task, "--runs", runs).code == 0
    after = stamps(runs)
    assert {key: after[key] for key in before} == before
    assert hashes(runs) == hashes(reference)
    whole = body(tmp_path / "whole_reports" / "tiny.md")
    assert body(tmp_path / "reports" / "tiny.md") == whole


@pytest.mark.parametrize("writes", [1, 3, 8, 12])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_at_any_write(
    writes: int, code: int, task: str, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without a mount: fsync says that there is no space from some write on."""
    done = 0
    sync = os.fsync

    def fsync(handle: int) -> None:
        nonlocal done
        done += 1
        if done > writes:
            raise OSError(code, os.strerror(code))
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", fsync)
        ended = cli("grid", task, "--jobs", "1")
    assert_full(ended, Path("runs") if writes > 1 else Path("reports"))
    before = stamps(tmp_path / "runs")
    assert cli("grid", task).code == 0
    after = stamps(tmp_path / "runs")
    assert len(after) == CELLS
    assert {key: after[key] for key in before} == before
