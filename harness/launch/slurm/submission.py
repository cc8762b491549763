"""Batches to job arrays, through submitit: write the batch files, call sbatch, return."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.protocols.launcher import LaunchRequest
from harness.core.store import Store
from harness.launch._batch_file import JobSettings, new_submission, path_of, write_batches
from harness.launch._job import RunBatch
from harness.launch.slurm import queue
from harness.launch.slurm.layout import SubmissionLayout
from harness.launch.slurm.profile import Profile, sbatch_parameters
from harness.launch.slurm.queue import QueueError
from harness.launch.slurm.snapshot import setup_lines, snapshot
from harness.plan.batches import Batch


@dataclass(frozen=True)
class Submission:
    """A job array that sbatch accepted."""

    name: str
    job: str  # number of the job or of the array
    batches: int
    cells: int


def submit_arrays(layout: SubmissionLayout, request: LaunchRequest) -> list[Submission]:
    """Submit every batch, in arrays of the length that the cluster allows. All or none: what was
    submitted before a refusal is cancelled.

    Raises QueueError with what sbatch says, DiskFull or OutputError.
    """
    if not layout.batches:
        return []
    for tool in ("sbatch", "srun"):  # before anything is written
        queue.run_tool(tool, "--version")
    setup = setup_lines(snapshot(request.store))
    submissions: list[Submission] = []
    try:
        for first in range(0, len(layout.batches), layout.limits.array):
            part = layout.batches[first : first + layout.limits.array]
            submissions.append(_submit_array(part, layout.profile, request, setup))
    except QueueError as error:
        queue.cancel([s.job for s in submissions])
        for submission in submissions:
            _remove_files(submission.name, submission.batches, request.store)
        raise QueueError(f"{layout.file}: {error}") from error
    return submissions


def _submit_array(
    part: Sequence[Batch], profile: Profile, request: LaunchRequest, setup: Sequence[str]
) -> Submission:
    name = new_submission(request.task_name)
    settings = JobSettings(
        "slurm", profile.threads, profile.requeue, profile.model_dump(mode="json")
    )
    files = write_batches(part, request, name, settings)
    try:
        jobs = _sbatch(profile, name, setup, files, request.store.root)
    except BaseException as error:
        if not isinstance(error, QueueError):  # interrupted: SLURM may have the job already
            queue.run_tool("scancel", f"--name={name}")
        _remove_files(name, len(part), request.store)
        raise
    number = jobs[0].job_id.partition("_")[0]
    return Submission(name, number, len(part), sum(len(b.cells) for b in part))


def _remove_files(name: str, batches: int, store: Store) -> None:
    """Remove the files of a submission that was not accepted."""
    for index in range(batches):
        path_of(store, name, index).unlink(missing_ok=True)
    shutil.rmtree(store.root / "logs" / name, ignore_errors=True)


def _sbatch(
    profile: Profile, name: str, setup: Sequence[str], files: Sequence[Path], runs: Path
) -> list[Any]:
    """The jobs of submitit, one for each file."""
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    executor = submitit.SlurmExecutor(folder=runs / "logs" / name, max_num_timeout=profile.timeouts)
    executor.update_parameters(**sbatch_parameters(profile, name, setup))
    paths = [str(f.resolve()) for f in files]
    try:
        with redirect_stderr(io.StringIO()):  # submitit prints what it raises as well
            jobs: list[Any] = executor.map_array(
                RunBatch(), paths, [str(runs.resolve())] * len(paths)
            )
    except (FailedJobError, FailedSubmissionError) as error:
        reason = queue.error_line(str(error))
        raise QueueError(f"sbatch refused the job: {reason}") from error
    return jobs
