"""One submission at a time, and locks that ended processes left behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.launch.slurm import lock


def hold(tmp_path: Path, **owner: object) -> Path:
    path = tmp_path / "jobs" / "submitting"
    path.parent.mkdir()
    path.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid()} | owner))
    return path


def test_one_process_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with lock.submission_lock(Store(tmp_path)):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.02)
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
    assert list((tmp_path / "jobs").iterdir()) == []


def test_the_owner_is_named_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.3)
    path = hold(tmp_path, host="elsewhere", pid=1)
    with (
        pytest.raises(BadInput, match=r"elsewhere.*remove .*submitting"),
        lock.submission_lock(Store(tmp_path)),
    ):
        pass
    assert path.is_file()


def test_the_lock_of_an_ended_process_is_taken_over(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = hold(tmp_path, pid=ended.pid)
    with lock.submission_lock(Store(tmp_path)):
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_lock_that_was_taken_meanwhile_is_put_back(tmp_path: Path) -> None:
    """Two processes find the same stale lock; the slower one must not remove the faster one's."""
    path = hold(tmp_path, pid=1, since="the faster one")
    lock._remove_stale(path, '{"pid": 0}', path.with_name("aside"))
    assert json.loads(path.read_text())["since"] == "the faster one"
    lock._remove_stale(path, path.read_text(), path.with_name("aside"))
    assert list(path.parent.iterdir()) == []
