"""Several processes that write Records of one key, and one that is killed while it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from conftest import leftovers

from harness.core import files
from harness.core.records import Record
from harness.core.store import Store

WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from harness.core.store import Store
from harness.core.records import Record
root, who, begin = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
store, won = Store(root), 0
time.sleep(max(0, begin - time.time()))
for i in range(40):
    record = Record(key=f"{i:016x}", cell={}, status="done", top1=who / 10, n=who)
    won += store.write(record, {"prediction": np.full(1000, who, dtype=np.uint32)})
print(won)
"""


def test_writers_of_one_key(tmp_path: Path, environment: dict[str, str]) -> None:
    begin = str(time.time() + 1.5)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(who), begin],
            env=environment, stdout=subprocess.PIPE, text=True,
        )
        for who in (1, 2, 3)
    ]  # fmt: skip
    won = [int(w.communicate(timeout=60)[0]) for w in writers]
    assert [w.returncode for w in writers] == [0, 0, 0]
    assert sum(won) == 40, "each key was won once"
    store = Store(tmp_path)
    for i in range(40):
        record = store.read(f"{i:016x}")
        assert record is not None
        arrays = store.arrays(record)
        assert record.top1 == record.n / 10  # type: ignore[operator]
        assert (arrays["prediction"] == record.n).all(), "the arrays are the winner's"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("first", ["done", "failed"])
def test_done_is_kept_and_failed_replaced(first: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = Record(key="a" * 16, cell={}, status=first, n=1)
    two = Record(key="a" * 16, cell={}, status="done", n=2)
    assert store.write(one)
    assert store.write(two, {"x": np.zeros(3)}) is (first == "failed")
    kept = store.read("a" * 16)
    assert kept is not None
    assert kept.n == (1 if first == "done" else 2)
    assert not store.write(Record(key="a" * 16, cell={}, status="failed"))


def test_killed_writer_leaves_no_record(tmp_path: Path, environment: dict[str, str]) -> None:
    """Killed between the temporary file and its name: nothing is read, and the next one writes."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from harness.core.store import Store\n"
        "from harness.core.records import Record\n"
        "os.link = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Store(Path(sys.argv[1])).write(Record(key='b' * 16, cell={}, status='done'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    store = Store(tmp_path)
    assert leftovers(tmp_path) != []
    assert store.read("b" * 16) is None
    assert store.statuses(["b" * 16]) == {}
    assert store.write(Record(key="b" * 16, cell={}, status="done"))
    assert store.statuses(["b" * 16]) == {"b" * 16: "done"}


def test_write_is_synced_before_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after the rename must not leave an empty file under the name."""
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        order.append("sync")
        sync(handle)

    def rename(self: Path, goal: Path) -> Path:
        order.append("rename")
        return replace(self, goal)

    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)

    def write(handle: IO[bytes]) -> None:
        handle.write(json.dumps({"a": 1}).encode())

    files.write_atomically(tmp_path / "x.json", write)
    assert order == ["sync", "rename"]
