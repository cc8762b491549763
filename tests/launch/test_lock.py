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


def test_one_after_the_other(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with lock.alone(Store(tmp_path)):
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


def test_who_holds_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.3)
    path = hold(tmp_path, host="elsewhere", pid=1)
    with (
        pytest.raises(BadInput, match=r"elsewhere.*remove .*submitting"),
        lock.alone(Store(tmp_path)),
    ):
        pass
    assert path.is_file()


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = hold(tmp_path, pid=gone.pid)
    with lock.alone(Store(tmp_path)):
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert list((tmp_path / "jobs").iterdir()) == []
