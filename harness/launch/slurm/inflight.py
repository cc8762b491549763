"""Which cells are in jobs, and what became of the jobs: pack files beside what SLURM says."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.store import Store
from harness.launch._batch_file import PackFile, read_packs
from harness.launch.slurm import queue
from harness.launch.slurm.queue import Job, QueueError
from harness.launch.slurm.submit import log_of

_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Flight:
    """A pack and its job."""

    pack: PackFile
    job: Job
    store: Store = field(repr=False)

    @property
    def log(self) -> Path | None:
        """None before the job has begun to write."""
        path = log_of(self.store, self.pack.submission, self.job.id)
        return path if self.job.id and path.is_file() else None

    def tail(self, lines: int) -> list[str]:
        """The last lines of the log."""
        if self.log is None:
            return []
        with self.log.open("rb") as handle:
            handle.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            text = handle.read().decode("utf-8", errors="replace")
        return list(deque((line for line in text.splitlines() if line.strip()), maxlen=lines))


@dataclass(frozen=True)
class Flights:
    """The packs of some cells. `problem` says why SLURM could not be asked."""

    of: dict[str, Flight]  # key -> the pack that may still write it, else the last one
    problem: str | None = None

    def in_flight(self) -> set[str]:
        """Keys of cells whose job may still write a Record."""
        return {key for key, flight in self.of.items() if flight.job.live}


def look(store: Store, keys: Iterable[str], done: Collection[str] = ()) -> Flights:
    """Where the cells are that were submitted to SLURM. Of those that are known to be `done` the
    Records are not looked at again.

    Raises nothing for a SLURM that does not answer: all its jobs are UNKNOWN then, and `problem`
    says so.
    """
    wanted = set(keys)
    packs = [
        p for p in read_packs(store) if p.launcher == "slurm" and not wanted.isdisjoint(p.keys)
    ]
    asked = [p for p in packs if not all(p.is_over(key, store, done) for key in p.keys)]
    jobs = queue.Jobs({})
    problem = None
    try:
        since = min((p.submitted for p in asked), default=0.0)
        jobs = queue.ask({p.submission for p in asked}, since)
    except QueueError as error:
        problem = str(error)
    found: dict[str, Flight] = {}
    for pack in packs:  # in the order of submission
        flight = Flight(pack, jobs.of(pack.submission, pack.index), store)
        for key in wanted.intersection(pack.keys):
            if key not in found or flight.job.live or not found[key].job.live:
                found[key] = flight
    return Flights(found, problem)
