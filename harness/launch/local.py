"""Cells in a pool of processes on this machine, through submitit's local executor.

The same path as a cluster's: a pack is a file that holds the task as it was submitted and its
cells, and a job is a plain function that reads it. Only a Record says that a cell is done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.core.store import Store
from harness.launch._batch_file import Terms, new_submission, stamp, write_packs
from harness.launch._job import RunPack
from harness.plan.batches import Pack, packs
from harness.plan.estimate import learned
from harness.plan.plan import Planned
from harness.run.runner import Events
from harness.task.schema import Task
from harness.training.threads import cores

POLL_SECONDS = 0.25
TIMEOUT_MINUTES = 24 * 60


def launch(
    cells: Sequence[Planned],
    store: Store,
    task: Task,
    jobs: int | None,
    events: Events,
    logs: Sequence[str] = (),
) -> list[str]:
    """Run to the end, at most `jobs` packs at once. Returns a complaint for every job that ended
    without the Records of its cells, with the place of its log.
    """
    jobs = jobs or cores()
    made = packs(cells, jobs, cost=learned(store))
    files = write_packs(made, store, task, new_submission(task), Terms("local", logs=logs))
    waiting = list(zip(made, files, strict=True))
    running: list[tuple[Any, Pack]] = []
    watch = _Watch(cells, store, events)
    complaints: list[str] = []
    events.ready()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                pack, file = waiting.pop(0)
                running.append((_submit(file, store), pack))
            time.sleep(POLL_SECONDS)
            watch.tell()
            for job, pack in [(j, p) for j, p in running if j.done()]:
                running.remove((job, pack))
                complaints += watch.complaint(job, pack)
    except BaseException:
        for job, _ in running:
            job.cancel(check=False)
        raise
    watch.tell()
    return complaints


def _submit(pack_file: Path, store: Store) -> Any:
    import submitit

    logs = store.root / "logs" / pack_file.stem
    executor = submitit.LocalExecutor(folder=logs)
    executor.update_parameters(timeout_min=TIMEOUT_MINUTES)
    with _stderr_in(logs / "controller.log"):
        return executor.submit(RunPack(), str(pack_file.resolve()), str(store.root.resolve()))


@contextmanager
def _stderr_in(log: Path) -> Iterator[None]:
    """Submitit's controlling process inherits standard error: what it says at Ctrl-C is for the
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


class _Watch:
    """What became of the cells, by their Records: an old one may be there to be replaced."""

    def __init__(self, cells: Sequence[Planned], store: Store, events: Events) -> None:
        self._cells, self._store, self._events = cells, store, events
        self._old = {p.key: stamp(store, p.key) for p in cells}
        self._seen: set[str] = set()

    def tell(self) -> None:
        """Say which cells have ended since the last time."""
        for planned in self._cells:
            key = planned.key
            if key in self._seen or not self._is_over(key):
                continue
            if record := self._store.read(key):
                self._seen.add(key)
                self._events.cell(planned, record.status)

    def complaint(self, job: Any, pack: Pack) -> list[str]:
        """A sentence about an ended job that left cells behind; none if it did not."""
        left = [p for p in pack.cells if not self._is_over(p.key)]
        if not left:
            return []
        lines = (job.stderr() or "").strip().splitlines()
        why = lines[-1].removeprefix("error: ") if lines else "it said nothing"
        log = job.paths.stderr
        return [f"a job left {len(left)} of {len(pack.cells)} cells: {why} (log: {log})"]

    def _is_over(self, key: str) -> bool:
        return stamp(self._store, key) not in (None, self._old[key])
