"""What a job does, called here as submitit calls it there."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import BadInput, HarnessError
from harness.core.store import Store
from harness.launch import _job
from harness.launch._batch_file import JobSettings, stamp, write_batches
from harness.launch._job import RunBatch, address_of, rendezvous, run_batch
from harness.plan.batches import Batch
from harness.run.interruption import Interruption
from harness.run.plugins import run_plugins

from .examples import planned, request


def write(store: Store, changes: dict[str, Any] | None = None, **asked: Any) -> Path:
    """A batch of all cells of the task; `changes` to the content of its file."""
    cells = planned(store)
    batch = Batch(tuple(cells), 1.0)
    settings = JobSettings("slurm", threads=2)
    (path,) = write_batches([batch], request(store, cells, None, **asked), "tiny-a", settings)
    if changes:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def stamps(store: Store) -> dict[str, int | None]:
    return {c.key: stamp(store, c.key) for c in planned(store)}


def test_a_batch_is_run_and_cells_with_a_record_are_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = write(store)
    run_batch(path, tmp_path)
    before = stamps(store)
    assert None not in before.values()
    run_batch(path, tmp_path)  # requeued after its last cell
    assert stamps(store) == before
    store.path(next(iter(before))).unlink()
    run_batch(path, tmp_path)
    assert sum(stamps(store)[key] != before[key] for key in before) == 1


def test_cells_to_replace_are_replaced_once(tmp_path: Path) -> None:
    run_batch(write(Store(tmp_path)), tmp_path)
    store = Store(tmp_path)
    before = stamps(store)
    store.replacing.update(list(before)[:2])
    path = write(store)
    run_batch(path, tmp_path)
    after = stamps(store)
    assert [after[key] != before[key] for key in before] == [True, True, False, False]
    run_batch(path, tmp_path)
    assert stamps(store) == after


def test_content_that_changed_since_the_submission_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    keys = [c.key for c in planned(store)]
    path = write(store, {"keys": ["0" * 16, *keys[1:]]})
    with pytest.raises(BadInput, match=r"1 of 4 cells read content that has changed"):
        run_batch(path, tmp_path)
    assert not (tmp_path / "cells").exists()


def test_a_job_runs_its_cells_as_they_were_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads, weights, logs and measures are those of the request."""
    calls: list[tuple[list[str], dict[str, Any]]] = []

    def run_cells(cells: Any, store: Store, **options: Any) -> None:
        calls.append(([c.key for c in cells], options))

    monkeypatch.setattr("harness.run.runner.run_cells", run_cells)
    monkeypatch.setattr(_job, "limit_memory", lambda: None)
    store = Store(tmp_path)
    run_batch(write(store, save=True, logs=["jsonl"], measures=["harness.measures.top1"]), tmp_path)
    plugins = run_plugins(["jsonl"], ["harness.measures.top1"])
    options = {
        "jobs": 2, "save": True, "plugins": plugins, "workers": None, "interruption": None
    }  # fmt: skip
    assert calls == [([c.key for c in planned(store)], options)]


def test_before_a_requeue_the_training_saves_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within two thirds of the time that the profile leaves; the next start is a new one."""
    path = write(Store(tmp_path), {"profile": {"grace": 30}})
    waited: list[float] = []
    monkeypatch.setattr(Interruption, "stop", lambda _, seconds: waited.append(seconds))
    again: list[Any] = []
    job = RunBatch()
    monkeypatch.setattr(
        _job, "run_batch", lambda *_, **__: again.append(job.checkpoint(str(path), str(tmp_path)))
    )
    before = signal.getsignal(signal.SIGTERM)
    for name, value in {"EXECUTOR": "local", "LOCAL_JOB_ID": "7", "LOCAL_NTASKS": "1"}.items():
        monkeypatch.setenv(f"SUBMITIT_{name}", value)
    job(str(path), str(tmp_path))
    assert waited == [20]
    assert signal.getsignal(signal.SIGTERM) == before
    assert again[0].function is not job
    pickle.dumps(again[0].function)


def test_a_job_that_is_not_requeued_ignores_the_warning(tmp_path: Path) -> None:
    """The handler of submitit would ask SLURM for a requeue, and the job would end without it."""
    path = write(Store(tmp_path), {"requeue": False, "keys": [], "cells": []})
    before = signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    try:
        run_batch(path, tmp_path)
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_an_error_is_the_last_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(Store(tmp_path), {"keys": [f"{n:016}" for n in range(4)]})
    for name, value in {"EXECUTOR": "local", "LOCAL_JOB_ID": "7", "LOCAL_NTASKS": "1"}.items():
        monkeypatch.setenv(f"SUBMITIT_{name}", value)
    with pytest.raises(SystemExit) as stop:
        RunBatch()(str(path), str(tmp_path))
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: 4 of 4 cells")
    again = RunBatch().checkpoint(str(path), str(tmp_path))
    assert (type(again.function), again.args) == (RunBatch, (str(path), str(tmp_path)))


def test_the_tasks_of_a_job_run_the_same_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second task starts when the first has already written a Record."""
    store = Store(tmp_path)
    path = write(store)
    asked: list[list[str]] = []
    monkeypatch.setattr(_job, "_planned_again", lambda batch, keys, store: asked.append(keys) or [])
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    run_batch(path, tmp_path, rank=0, ranks=2)
    record = store.path(asked[0][0])
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    run_batch(path, tmp_path, rank=1, ranks=2)
    assert len(asked[0]) == 4
    assert asked[1] == asked[0]
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    run_batch(path, tmp_path, rank=0, ranks=2)
    assert asked[2] == asked[0][1:]
    monkeypatch.setattr(_job, "AGREE_SECONDS", 0.2)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    with pytest.raises(HarnessError, match="task 0 did not write"):
        run_batch(path, tmp_path, rank=1, ranks=2)


def test_where_tasks_meet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert address_of("localhost") == "127.0.0.1"
    assert rendezvous("localhost", "12001")["MASTER_PORT"] == "18001"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert address_of("no-such-node.invalid") == "127.0.0.1"
    script = tmp_path / "scontrol"
    script.write_text("#!/bin/sh\necho NodeName=x NodeAddr=10.0.0.9 Port=1\n")
    script.chmod(0o755)
    assert address_of("no-such-node.invalid") == "10.0.0.9"


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts all memory on Linux only")
@pytest.mark.parametrize(("environment", "fails"), [
    ({"SLURM_MEM_PER_NODE": "700"}, True),
    ({"SLURM_MEM_PER_NODE": "2800", "SLURM_NTASKS_PER_NODE": "4"}, True),
    ({"SLURM_MEM_PER_NODE": "4000"}, False),
    ({"SLURM_MEM_PER_NODE": "0"}, False),
    ({"SLURM_MEM_PER_NODE": "700", "SLURM_JOB_GPUS": "0"}, False),
    ({}, False),
])  # fmt: skip
def test_too_much_memory_is_an_error_and_no_kill(environment: dict[str, str], fails: bool) -> None:
    program = (
        "import numpy as np\nfrom harness.launch._job import limit_memory\n"
        "limit_memory()\n"
        "try:\n    np.empty(800 * 2**20, np.uint8)\n"
        "except MemoryError:\n    print('MemoryError')\n"
    )
    root = str(Path(_job.__file__).parent.parent.parent)
    ended = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": root} | environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ended.stdout == "MemoryError\n") is fails
