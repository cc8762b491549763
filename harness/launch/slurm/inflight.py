"""Which cells are in jobs and what became of those: batch files joined with what SLURM knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.protocols.launcher import CellJob, JobReport
from harness.core.store import Store
from harness.launch._batch_file import BatchFile, read_batches
from harness.launch.slurm import queue
from harness.launch.slurm.queue import Job, QueueError

#: Lines at the end of a job's log that a report holds.
TAIL_LINES = 10
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class BatchJob:
    """A batch and its job."""

    batch: BatchFile
    job: Job
    store: Store = field(repr=False)

    @property
    def log(self) -> Path | None:
        """None before the job has begun to write."""
        path = log_of(self.store, self.batch.submission, self.job.id)
        return path if self.job.id and path.is_file() else None

    def tail(self, lines: int) -> list[str]:
        """The last lines of the log that are not empty."""
        log = self.log
        if log is None:
            return []
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = handle.read().decode("utf-8", errors="replace")
        return list(deque((line for line in text.splitlines() if line.strip()), maxlen=lines))


@dataclass(frozen=True)
class BatchJobs:
    """The batches of some cells. `problem` says why SLURM could not be asked."""

    by_key: dict[str, BatchJob]  # key -> the batch that may still write it, else the last one
    problem: str | None = None

    def in_flight(self) -> set[str]:
        """Keys of cells whose job may still write a Record."""
        return {key for key, batch_job in self.by_key.items() if batch_job.job.live}


def log_of(store: Store, submission: str, job: str) -> Path:
    """Where the first task of a job writes: submitit names logs so."""
    return store.root / "logs" / submission / f"{job}_0_log.out"


def find_jobs(store: Store, keys: Iterable[str], done: Collection[str] = ()) -> BatchJobs:
    """The jobs of the cells that were submitted to SLURM. The Records of those that are known to be
    `done` are not read again.

    Raises nothing for a SLURM that does not answer: all its jobs are UNKNOWN then, and `problem`
    says so.
    """
    wanted = set(keys)
    batches = [
        b for b in read_batches(store) if b.launcher == "slurm" and not wanted.isdisjoint(b.keys)
    ]
    # A batch whose cells all have their Records has no job to ask for.
    unfinished = [b for b in batches if not all(b.is_over(key, store, done) for key in b.keys)]
    jobs = queue.Jobs({})
    problem = None
    try:
        since = min((b.submitted for b in unfinished), default=0.0)
        jobs = queue.ask({b.submission for b in unfinished}, since)
    except QueueError as error:
        problem = str(error)
    by_key: dict[str, BatchJob] = {}
    for batch in batches:  # in the order of submission
        batch_job = BatchJob(batch, jobs.of(batch.submission, batch.index), store)
        for key in wanted.intersection(batch.keys):
            if key not in by_key or batch_job.job.live or not by_key[key].job.live:
                by_key[key] = batch_job
    return BatchJobs(by_key, problem)


def report(store: Store, keys: Collection[str], done: Collection[str] = ()) -> JobReport:
    """The jobs of cells with their state, log and the end of that; see `find_jobs`."""
    jobs = find_jobs(store, keys, done)
    logs: dict[str, tuple[Path | None, list[str]]] = {}
    cell_jobs = {}
    for key, batch_job in jobs.by_key.items():
        batch, job = batch_job.batch, batch_job.job
        if batch.id not in logs:
            logs[batch.id] = batch_job.log, batch_job.tail(TAIL_LINES)
        log, tail = logs[batch.id]
        cell_jobs[key] = CellJob(
            batch=batch.id,
            task=batch.task_name,
            submitted=batch.submitted,
            live=job.live,
            waiting=job.waiting,
            over=batch.is_over(key, store, done),
            reason=jobs.problem or str(job),
            id=job.id or None,
            state=job.state,
            node=job.node or None,
            log=log,
            tail=tail,
        )
    return JobReport(cell_jobs, jobs.problem)
