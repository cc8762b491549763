"""Cells in a pool of processes on this machine, through submitit's local executor.

The same path as on a cluster: a batch is a file that holds the task as it was submitted and its
cells, and a job is a plain function that reads it. Only a Record says that a cell is done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.core.cells import KeyedCell
from harness.core.protocols.launcher import Events, Launched, LaunchOptions, LaunchRequest
from harness.core.store import Store
from harness.core.words import plural
from harness.launch._batch_file import JobSettings, new_submission, stamp, write_batches
from harness.launch._job import RunBatch
from harness.launch._this_machine import number_of_jobs
from harness.plan.batches import Batch, batches
from harness.training.device import gpu_shares

POLL_SECONDS = 0.25
#: A run on this machine has no time limit, but submitit ends a job after some number of minutes. It
#: is a hundred years, which no training lasts.
TIMEOUT_MINUTES = 100 * 365 * 24 * 60


def settings(options: LaunchOptions) -> int:
    """The number of processes, on GPUs at most one for each.

    Raises BadInput for the options of a cluster, and for a GPU that was reserved and is not seen.
    """
    return number_of_jobs(options, "local", gpus_each=True)


def submit(request: LaunchRequest) -> Launched:
    """Run the cells to the end, in at most as many processes as `settings` gave.

    Its complaints: a sentence for every job that ended without the Records of its cells, with the
    path of its log.
    """
    jobs: int = request.settings
    parts = batches(request.cells, jobs, cost=request.cost)
    submission = new_submission(request.task_name)
    files = write_batches(parts, request, submission, JobSettings("local"))
    waiting = list(zip(parts, files, strict=True))
    running: list[tuple[Any, Batch, str | None]] = []
    free: list[str | None] = [*gpu_shares()] or [None] * jobs
    records = _RecordWatch(request.cells, request.store, request.events)
    complaints: list[str] = []
    request.events.ready()
    try:
        while waiting or running:
            while waiting and free and len(running) < jobs:
                (batch, file), share = waiting.pop(0), free.pop(0)
                running.append((_start(file, request.store, share), batch, share))
            time.sleep(POLL_SECONDS)
            records.report_new()
            for ended in [each for each in running if each[0].done()]:
                running.remove(ended)
                job, batch, share = ended
                free.append(share)
                complaints += records.complaint(job, batch)
    except BaseException:  # Ctrl-C as well: no job may outlive this process
        for job, _, _ in running:
            job.cancel(check=False)
        raise
    records.report_new()
    return Launched(complaints=complaints)


def _start(batch_file: Path, store: Store, share: str | None) -> Any:
    """A job on its share of the GPUs (None: on the CPU)."""
    import submitit

    logs = store.root / "logs" / batch_file.stem
    executor = submitit.LocalExecutor(folder=logs)
    executor.update_parameters(timeout_min=TIMEOUT_MINUTES)
    with _stderr_in(logs / "controller.log"):
        return executor.submit(
            RunBatch(share), str(batch_file.resolve()), str(store.root.resolve())
        )


@contextmanager
def _stderr_in(log: Path) -> Iterator[None]:
    """Submitit's controlling process inherits standard error: what it prints at Ctrl-C is for the
    log, not for the user.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    try:
        with log.open("ab") as handle:
            os.dup2(handle.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


class _RecordWatch:
    """Which cells have ended, by their Records. A Record that is to be replaced does not count."""

    def __init__(self, cells: Sequence[KeyedCell], store: Store, events: Events) -> None:
        self._cells, self._store, self._events = cells, store, events
        self._old = {c.key: stamp(store, c.key) for c in cells}
        self._reported: set[str] = set()

    def report_new(self) -> None:
        """Report the cells that have ended since the last call."""
        for keyed in self._cells:
            if keyed.key in self._reported or not self._is_over(keyed.key):
                continue
            if record := self._store.read(keyed.key):
                self._reported.add(keyed.key)
                self._events.cell(keyed, record.status)

    def complaint(self, job: Any, batch: Batch) -> list[str]:
        """A sentence about an ended job that left cells without a Record; else nothing."""
        left = [c for c in batch.cells if not self._is_over(c.key)]
        if not left:
            return []
        lines = (job.stderr() or "").strip().splitlines()
        reason = lines[-1].removeprefix("error: ") if lines else "it printed no error"
        log = job.paths.stderr
        return [
            f"a job left {len(left)} of {plural(len(batch.cells), 'cell')}: {reason} (log: {log})"
        ]

    def _is_over(self, key: str) -> bool:
        return stamp(self._store, key) not in (None, self._old[key])
