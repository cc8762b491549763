"""Cells in processes of this machine: the Records of one process; jobs that die are reported."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import submitit.local.local as submitit_local

from harness.core import registry
from harness.core.protocols.launcher import Events, Launcher
from harness.core.store import Store
from harness.launch import local
from harness.launch._batch_file import read_batches
from harness.plan.batches import Batch

from .examples import invented, planned, request


def science(store: Store) -> dict[str, str | None]:
    records = [store.read(c.key) for c in planned(store)]
    return {r.key: r.science_hash for r in records if r is not None}


@pytest.mark.slow
def test_processes_of_submitit_give_the_records_of_one_process(tmp_path: Path) -> None:
    here, pool = Store(tmp_path / "inline"), Store(tmp_path / "local")
    registry.load(Launcher, "inline").submit(request(here, planned(here), 1))
    ended: list[str] = []
    events = Events(cell=lambda keyed, status: ended.append(status))
    launched = registry.load(Launcher, "local").submit(
        request(pool, planned(pool), 2, events=events)
    )
    assert list(launched.complaints) == []
    assert ended == ["done"] * 4
    assert len(science(here)) == 4
    assert science(pool) == science(here)
    assert {b.launcher for b in read_batches(pool)} == {"local"}


@pytest.mark.slow
def test_a_job_that_dies_is_reported_with_its_log(tmp_path: Path) -> None:
    store = Store(tmp_path)
    cells = planned(store)
    (tmp_path / "cells").write_text("")
    (complaint,) = local.submit(request(store, cells, 1)).complaints
    assert complaint.startswith("a job left 4 of 4 cells: ")
    assert f"{tmp_path}/cells is a file where the folder of the Records should be" in complaint
    log = Path(complaint.rpartition("(log: ")[2].rstrip(")"))
    assert complaint.partition(" cells: ")[2].partition(" (log: ")[0] in log.read_text()


def test_a_record_that_is_to_be_replaced_is_not_the_end_of_a_cell(tmp_path: Path) -> None:
    """Whether a job left cells behind shows in Records written after the launch."""
    store = Store(tmp_path)
    (keyed,) = invented(1)
    path = store.path(keyed.key)
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    os.utime(path, ns=(1, 1))
    watch = local._RecordWatch([keyed], store, Events())
    job = SimpleNamespace(stderr=lambda: None, paths=SimpleNamespace(stderr="x.log"))
    batch = Batch((keyed,), 1.0)
    assert watch.complaint(job, batch) == [
        "a job left 1 of 1 cell: it printed no error (log: x.log)"
    ]
    os.utime(path, ns=(2, 2))
    assert watch.complaint(job, batch) == []


def test_gpus_are_dealt_out_to_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job has a GPU of its own, and the next one that of a job that has ended."""
    at_once: list[list[str | None]] = []
    running: list[str | None] = []

    def start(batch_file: Path, store: Store, share: str | None) -> SimpleNamespace:
        running.append(share)
        at_once.append(list(running))

        def done() -> bool:
            if running[0] != share:  # the oldest ends first
                return False
            running.pop(0)
            return True

        paths = SimpleNamespace(stderr="x.log")
        return SimpleNamespace(done=done, stderr=lambda: None, paths=paths)

    monkeypatch.setattr(local, "_start", start)
    monkeypatch.setattr(local, "gpu_shares", lambda: ["4", "7"])
    monkeypatch.setattr(local, "batches", lambda cells, jobs, cost: [Batch((c,), 1) for c in cells])
    store = Store(tmp_path)
    local.submit(request(store, planned(store), 2))
    assert len(at_once) == 4
    assert all(len(set(shares)) == len(shares) <= 2 for shares in at_once)
    assert {share for shares in at_once for share in shares} == {"4", "7"}


def test_a_job_may_last_for_weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a job in submitit neither warns nor ends one, without a second of waiting."""
    started: dict[str, Any] = {}

    def start(**settings: Any) -> SimpleNamespace:
        started.update(settings)
        return SimpleNamespace(pid=os.getpid(), poll=lambda: 0)

    monkeypatch.setattr(submitit_local, "start_controller", start)
    store, keyed = Store(tmp_path), invented(1)
    launched = local.submit(request(store, keyed, 1))
    assert len(launched.complaints) == 1, "nothing ran"
    weeks, asked = 14 * 86_400, iter(range(10**9))
    job = _Task(lambda: 0 if next(asked) == weeks else None)
    assert _waited(job, started["timeout_min"], tmp_path, monkeypatch) == [0]
    assert job.signals == []


class _Task:
    """A process that is polled every second."""

    def __init__(self, poll: Any) -> None:
        self.poll = poll
        self.signals: list[int] = []

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


def _waited(
    task: _Task, minutes: float, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[int | None]:
    """The exit codes that submitit's controlling process waits for."""
    settings = {"NTASKS": 1, "COMMAND": "x", "TIMEOUT_S": int(60 * minutes), "SIGNAL_DELAY_S": 30}
    for name, value in settings.items():
        monkeypatch.setenv(f"SUBMITIT_LOCAL_{name}", str(value))
    monkeypatch.setenv("SUBMITIT_STDERR_TO_STDOUT", "")
    monkeypatch.setenv("SUBMITIT_LOCAL_WITH_SHELL", "")
    monkeypatch.setattr(submitit_local, "time", SimpleNamespace(sleep=lambda _: None))
    before = signal.getsignal(signal.SIGTERM)
    try:
        controller = submitit_local.Controller(folder)
        controller.tasks = [task]
        return list(controller.wait(freq=1))
    finally:
        signal.signal(signal.SIGTERM, before)
