"""What is finished stays finished: kill, interrupt, full disk, damaged files, several writers."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from conftest import Call, Ended, WriteTask, body, hashes, interruptible, leftovers, records

from harness.core import files as cache_module
from harness.core.records import Record
from harness.core.seeding import stream_seed
from harness.core.store import Store

#: A classifier from outside the package: slow or failing when the environment says so.
LAB = '''
import os, time
from harness.core.protocols.classifier import ClassifierOptions as Options
from harness.classifiers import text

class Slow:
    """Text, after a while."""
    Options, USES = Options, ("text", "seed")

    @staticmethod
    def check(cell, facts):
        return None

    @staticmethod
    def build(inputs, options):
        with open("built.log", "a") as log:
            print(inputs.generator.initial_seed(), file=log)
        time.sleep(float(os.environ.get("LAB_SECONDS", "0")))
        if inputs.generator.initial_seed() % 2 and os.environ.get("LAB_FAILS"):
            raise RuntimeError("the lab burnt down")
        return text.build(inputs, options)
'''
SLOW = "laboratory.slow:Slow"
SEEDS = 6
CELLS = 2 * SEEDS


@pytest.fixture
def task(tiny: WriteTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """TINY with a classifier that can be slow or fail, from a package in the working directory."""
    package = tmp_path / "laboratory"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "slow.py").write_text(LAB)
    monkeypatch.syspath_prepend(tmp_path)
    return Path(tiny(classifier=[SLOW, "random"], seeds=SEEDS)).name


def stamps(runs: Path) -> dict[str, tuple[int, int, bytes]]:
    """What a Record's file would not keep if it was written again."""
    return {
        p.stem: (p.stat().st_ino, p.stat().st_mtime_ns, p.read_bytes())
        for p in runs.glob("cells/*/*.json")
    }


def _of_slow(found: dict[str, tuple[int, int, bytes]]) -> list[dict[str, Any]]:
    every = [json.loads(data) for _, _, data in found.values()]
    return [record for record in every if record["cell"]["classifier"] == SLOW]


def start(
    folder: Path, environment: dict[str, str], *args: str, seconds: str
) -> subprocess.Popen[str]:
    with interruptible():
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *args],
            cwd=folder, env=environment | {"LAB_SECONDS": seconds}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip


def wait_for_records(running: subprocess.Popen[str], runs: Path, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(runs.glob("cells/*/*.json"))) < number:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def reference(cli: Call, task: str, tmp_path: Path) -> Path:
    """An uninterrupted run of the same task, in a runs folder of its own."""
    ended = cli("grid", task, "--runs", "whole", "--reports", "whole_reports")
    assert ended.code == 0, ended.err
    assert len(hashes(tmp_path / "whole")) == CELLS
    return tmp_path / "whole"


def assert_equal_to(reference: Path, folder: Path) -> None:
    """Science hashes, arrays and the report's body."""
    runs = folder / "runs"
    assert hashes(runs) == hashes(reference)
    assert all(r["status"] == "done" for r in records(runs).values())
    whole = body(reference.parent / "whole_reports" / "tiny.md")
    assert body(folder / "reports" / "tiny.md") == whole
    table = (folder / "reports" / "tiny.csv").read_text().splitlines()
    assert len(table) == CELLS + 1


def test_kill_and_run_again(
    task: str, reference: Path, cli: Call, tmp_path: Path, environment: dict[str, str]
) -> None:
    running = start(tmp_path, environment, "grid", task, "--jobs", "1", seconds="0.4")
    wait_for_records(running, tmp_path / "runs", 2)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL
    before = stamps(tmp_path / "runs")
    assert 2 <= len(before) < CELLS, "it was to be killed in the middle"
    (tmp_path / "built.log").unlink()

    ended = cli("grid", task)
    assert ended.code == 0
    assert f"{CELLS - len(before)} to run" in ended.err
    done = {r["cell"]["seed"] for r in _of_slow(before)}
    assert set((tmp_path / "built.log").read_text().split()) == {
        str(stream_seed(seed, "init")) for seed in range(SEEDS) if seed not in done
    }, "no finished cell is run twice"
    after = stamps(tmp_path / "runs")
    assert {key: after[key] for key in before} == before
    assert_equal_to(reference, tmp_path)

    again = cli("grid", task)
    assert again.code == 0
    assert "0 to run" in again.err
    assert stamps(tmp_path / "runs") == after


def test_interrupt(
    task: str, cli: Call, tmp_path: Path, environment: dict[str, str]
) -> None:  # fmt: skip
    running = start(tmp_path, environment, "grid", task, "--jobs", "1", seconds="0.4")
    wait_for_records(running, tmp_path / "runs", 1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert len([line for line in err.splitlines() if "interrupted" in line]) == 1
    assert err.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in err + out
    assert leftovers(tmp_path) == []
    before = stamps(tmp_path / "runs")
    assert 1 <= len(before) < CELLS
    assert cli("grid", task).code == 0
    after = stamps(tmp_path / "runs")
    assert len(after) == CELLS
    assert {key: after[key] for key in before} == before


@pytest.mark.slow
def test_interrupt_of_a_local_pool(task: str, tmp_path: Path, environment: dict[str, str]) -> None:
    """The same message, nothing from the jobs' own processes, and none of them goes on."""
    arguments = ("grid", task, "--launch", "local", "--jobs", "2", "seeds=60")
    running = start(tmp_path, environment, *arguments, seconds="0.4")
    wait_for_records(running, tmp_path / "runs", 1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    before = stamps(tmp_path / "runs")
    time.sleep(1.5)
    assert stamps(tmp_path / "runs") == before
    assert "Traceback" not in err + out
    assert err.splitlines()[-1].startswith("interrupted")


def test_two_runs_from_cold_caches(
    task: str, reference: Path, run_cli: Call, tmp_path: Path
) -> None:
    """Nothing of the result hangs on what was cached, or on the process."""
    ended = run_cli("grid", task, "--jobs", "1", HARNESS_CACHE=str(tmp_path / "cold"))
    assert ended.code == 0, ended.err
    assert (tmp_path / "cold" / "features").is_dir()
    assert_equal_to(reference, tmp_path)


@pytest.mark.slow
def test_local_pool_gives_the_same(
    task: str, reference: Path, run_cli: Call, tmp_path: Path
) -> None:
    ended = run_cli("grid", task, "--launch", "local", "--jobs", "2")
    assert ended.code == 0, ended.err
    assert len(list((tmp_path / "runs" / "jobs").glob("*.json"))) == 2
    assert_equal_to(reference, tmp_path)


def test_two_grids_at_once(
    task: str, reference: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    both = [
        start(tmp_path, environment, "grid", task, "--reports", f"reports{i}", seconds="0.02")
        for i in range(2)
    ]
    for running in both:
        _, err = running.communicate(timeout=120)
        assert running.returncode == 0, err
        assert "Traceback" not in err
    assert hashes(tmp_path / "runs") == hashes(reference)
    assert leftovers(tmp_path) == []


# --- a full disk -------------------------------------------------------------------------------


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
        patch.setattr(cache_module.os, "fsync", fsync)
        ended = cli("grid", task, "--jobs", "1")
    assert_full(ended, Path("runs") if writes > 1 else Path("reports"))
    before = stamps(tmp_path / "runs")
    assert cli("grid", task).code == 0
    after = stamps(tmp_path / "runs")
    assert len(after) == CELLS
    assert {key: after[key] for key in before} == before


# --- damaged files -----------------------------------------------------------------------------


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _another_key(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(path.stem.split(".")[0].encode(), b"0" * 16))


def _a_list(path: Path) -> None:
    path.write_text("[1, 2]")


def _unlink(path: Path) -> None:
    path.unlink()


DAMAGE = [
    ("json", _cut), ("json", _empty), ("json", _another_key), ("json", _a_list),
    ("npz", _cut), ("npz", _empty), ("npz", _unlink),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spoil"), DAMAGE, ids=[f"{k}{s.__name__}" for k, s in DAMAGE])
def test_damaged_record_runs_again(
    kind: str, spoil: Any, tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    task, runs = tiny(), tmp_path / "runs"
    assert cli("grid", task).code == 0
    wanted, before = hashes(runs), stamps(runs)
    bad = sorted(runs.glob(f"cells/*/*.{kind}"))[0]
    spoil(bad)
    ended = cli("grid", task)
    assert ended.code == 0, ended.err
    assert "1 to run" in ended.err
    assert hashes(runs) == wanted
    key = bad.name.split(".")[0]
    after = stamps(runs)
    assert {k: v for k, v in after.items() if k != key} == {
        k: v for k, v in before.items() if k != key
    }
    aside = [p for p in (runs / "quarantine").iterdir() if p.suffix != ".reason"]
    assert [p.name.split(".")[0] for p in aside] == [key]
    reason = (runs / "quarantine" / f"{aside[0].name}.reason").read_text()
    assert len(reason.splitlines()) == 1
    assert len(reason) > 10


def test_flipped_bits_in_arrays(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    """Seen when the report reads them: one error that says what to do, and doing it helps."""
    task, runs = tiny(), tmp_path / "runs"
    assert cli("grid", task).code == 0
    wanted = hashes(runs)
    bad = sorted(runs.glob("cells/*/*.npz"))[0]
    raw = bytearray(bad.read_bytes())
    for i in range(60, 400):
        raw[i] ^= 0xFF
    bad.write_bytes(raw)
    ended = cli("grid", task)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert bad.name.split(".")[0] in ended.errors()[0]
    assert "run the same command again" in ended.errors()[0]
    assert cli("grid", task).code == 0
    assert hashes(runs) == wanted


@pytest.mark.parametrize("spoil", [_cut, _empty, _unlink], ids=lambda s: s.__name__)
def test_damaged_test_set(spoil: Any, tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    """Records name a test set; a report without it would be one without truth."""
    task, runs = tiny(), tmp_path / "runs"
    assert cli("grid", task).code == 0
    before = stamps(runs)
    spoil(next((runs / "tests").glob("*.npz")))
    ended = cli("grid", task)
    assert ended.code == 0, ended.err
    assert stamps(runs) == before


@pytest.mark.parametrize("spoil", [_cut, _empty], ids=lambda s: s.__name__)
@pytest.mark.parametrize("pattern", ["features/*/*.npy", "features/*/*.json", "text/*.npy"])
def test_damaged_cache(
    pattern: str, spoil: Any, tiny: WriteTask, cli: Call, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The cache is free to delete, so a broken file in it may cost time and nothing else."""
    from harness.run import encoders

    task = tiny()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "own"))
    encoders.embed_names.cache_clear()
    assert cli("grid", task).code == 0
    for path in (tmp_path / "own").glob(pattern):
        spoil(path)
    encoders.embed_names.cache_clear()
    assert cli("grid", task, "--runs", "again").code == 0
    assert hashes(tmp_path / "again") == hashes(tmp_path / "runs")


# --- failed cells ------------------------------------------------------------------------------


def test_failed_cells(
    task: str, reference: Path, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    monkeypatch.setenv("LAB_FAILS", "1")
    ended = cli("grid", task)
    assert ended.code == 1
    first = records(runs)
    failed = {key for key, r in first.items() if r["status"] == "failed"}
    assert len(first) == CELLS
    assert 0 < len(failed) < SEEDS, "some seeds fail, some do not"
    for key in failed:
        error = first[key]["error"]
        assert error["type"] == "RuntimeError"
        assert error["message"] == "the lab burnt down"
        assert "laboratory" in error["traceback"]
        assert first[key]["cell"]["classifier"] == SLOW
    assert "the lab burnt down" in ended.err
    assert "Traceback" not in ended.err
    report = (tmp_path / "reports" / "tiny.md").read_text()
    assert "the lab burnt down" in report
    assert len(re.findall("failed", report)) >= 1
    rows = (tmp_path / "reports" / "tiny.csv").read_text().splitlines()
    assert sum(",failed," in row for row in rows) == len(failed)
    assert cli("status", task).code == 1

    before = stamps(runs)
    monkeypatch.delenv("LAB_FAILS")
    assert cli("grid", task).code == 1, "without being asked nothing failed is run again"
    assert stamps(runs) == before

    again = cli("grid", task, "--retry-failed")
    assert again.code == 0
    assert f"{len(failed)} to run" in again.err
    after = stamps(runs)
    assert {k: v for k, v in after.items() if k not in failed} == {
        k: v for k, v in before.items() if k not in failed
    }
    assert_equal_to(reference, tmp_path)


# --- several writers of one key ----------------------------------------------------------------

WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from harness.store import Store
from harness.types import Record
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
        "from harness.store import Store\n"
        "from harness.types import Record\n"
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

    monkeypatch.setattr(cache_module.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)

    def write(handle: IO[bytes]) -> None:
        handle.write(json.dumps({"a": 1}).encode())

    cache_module.write_atomically(tmp_path / "x.json", write)
    assert order == ["sync", "rename"]
