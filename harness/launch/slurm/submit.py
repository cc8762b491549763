"""Cells as job arrays on a SLURM cluster, through submitit: submit and return.

Only a Record says that a cell is done. Whether a cell is on its way is asked of SLURM.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.store import Store
from harness.launch._batch_file import Terms, new_submission, path_of, write_packs
from harness.launch._job import RunPack
from harness.launch.slurm import queue
from harness.launch.slurm.profile import Profile, sbatch_parameters
from harness.launch.slurm.queue import QueueError
from harness.launch.slurm.snapshot import setup_lines, snapshot
from harness.plan.batches import Pack, packs
from harness.plan.estimate import Cost
from harness.plan.plan import Planned
from harness.task.schema import Task

#: Seconds until a job trains its first cell: Python, torch, the encoder.
START_SECONDS = 10.0
#: Part of the time limit that a pack may be planned to take.
TIME_USED = 0.8
#: Parts of one array; SLURM's MaxArraySize is 1001 unless a cluster says otherwise.
MOST_PARTS = 1000


@dataclass(frozen=True)
class Layout:
    """What would be submitted."""

    packs: tuple[Pack, ...]
    profile: Profile
    file: str  # of the profile

    def seconds(self, pack: Pack) -> float:
        """How long a pack may take."""
        return START_SECONDS + pack.seconds / self.profile.threads

    @property
    def core_hours(self) -> float:
        return self._hours() * self.profile.cpus * self.profile.tasks

    @property
    def gpu_hours(self) -> float:
        return self._hours() * self.profile.gpus * self.profile.nodes

    @property
    def too_long(self) -> int:
        """Packs that may not end within the time limit."""
        return sum(self.seconds(p) > 60 * self.profile.time for p in self.packs)

    def _hours(self) -> float:
        return sum(map(self.seconds, self.packs)) / 3600


@dataclass(frozen=True)
class Submission:
    name: str
    job: str  # number of the job or of the array
    packs: int
    cells: int


def lay_out(cells: Sequence[Planned], profile: Profile, file: str, cost: Cost) -> Layout:
    """Packs of the length that the profile asks for, the longest first; longer ones where there
    would be very many, since clusters limit how many jobs may wait.
    """
    fair = sum(cost(p.cell) for p in cells) / MOST_PARTS
    most = 60.0 * profile.time * profile.threads * TIME_USED
    seconds = max(60.0 * profile.pack * profile.threads, min(fair, most))
    return Layout(tuple(packs(cells, 1, seconds=seconds, cost=cost)), profile, file)


def submit(layout: Layout, store: Store, task: Task, logs: Sequence[str] = ()) -> list[Submission]:
    """Submit every pack, one array for each MOST_PARTS of them. All or none: what was submitted
    before a refusal is taken back.

    Raises QueueError with what sbatch says, DiskFull or OutputError.
    """
    for tool in ("sbatch", "srun"):
        queue.run_tool(tool, "--version")
    setup = setup_lines(snapshot(store))
    done: list[Submission] = []
    try:
        for first in range(0, len(layout.packs), MOST_PARTS):
            part = layout.packs[first : first + MOST_PARTS]
            done.append(_submit_array(part, layout.profile, store, task, setup, logs))
    except QueueError as error:
        queue.cancel([s.job for s in done])
        for submission in done:
            _forget(submission.name, submission.packs, store)
        raise QueueError(f"{layout.file}: {error}") from error
    return done


def log_of(store: Store, submission: str, job: str) -> Path:
    """Where the first task of a job writes, by submitit's custom."""
    return store.root / "logs" / submission / f"{job}_0_log.out"


def _submit_array(
    part: Sequence[Pack],
    profile: Profile,
    store: Store,
    task: Task,
    setup: Sequence[str],
    logs: Sequence[str],
) -> Submission:
    name = new_submission(task)
    terms = Terms("slurm", profile.threads, profile.requeue, logs, profile.model_dump(mode="json"))
    files = write_packs(part, store, task, name, terms)
    try:
        jobs = _sbatch(profile, name, setup, files, store.root)
    except BaseException as error:
        if not isinstance(error, QueueError):  # interrupted: SLURM may have the job
            queue.run_tool("scancel", f"--name={name}")
        _forget(name, len(part), store)
        raise
    number = jobs[0].job_id.partition("_")[0]
    return Submission(name, number, len(part), sum(len(p.cells) for p in part))


def _forget(name: str, packs: int, store: Store) -> None:
    """Take away the files of a submission that never was."""
    for index in range(packs):
        path_of(store, name, index).unlink(missing_ok=True)
    shutil.rmtree(store.root / "logs" / name, ignore_errors=True)


def _sbatch(
    profile: Profile, name: str, setup: Sequence[str], files: Sequence[Path], runs: Path
) -> list[Any]:
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    executor = submitit.SlurmExecutor(folder=runs / "logs" / name, max_num_timeout=profile.timeouts)
    executor.update_parameters(**sbatch_parameters(profile, name, setup))
    paths = [str(f.resolve()) for f in files]
    try:
        with redirect_stderr(io.StringIO()):  # submitit prints what it raises as well
            found: list[Any] = executor.map_array(
                RunPack(), paths, [str(runs.resolve())] * len(paths)
            )
    except (FailedJobError, FailedSubmissionError) as error:
        said = queue.complaint(str(error))
        raise QueueError(f"sbatch refused the job: {said}") from error
    return found
