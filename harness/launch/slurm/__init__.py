"""Job arrays on a SLURM cluster, through submitit: cells are submitted and the command returns.

Only a Record says that a cell is done; whether a cell is in a job is asked of SLURM.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.core.cells import KeyedCell
from harness.core.errors import BadInput
from harness.core.hardware import Hardware
from harness.core.protocols.launcher import (
    Cancelled,
    CellCost,
    Forecast,
    JobReport,
    Launched,
    LaunchOptions,
    LaunchRequest,
)
from harness.core.store import Store
from harness.core.words import plural
from harness.launch.slurm import inflight, layout, queue
from harness.launch.slurm.limits import ask_limits
from harness.launch.slurm.lock import submission_lock
from harness.launch.slurm.profile import NamedProfile, profiles, read_profile
from harness.launch.slurm.queue import QueueError
from harness.launch.slurm.submission import submit_arrays

DETACHED = True


def settings(options: LaunchOptions) -> NamedProfile:
    """The profile with its changes. Raises BadInput."""
    if options.profile is None:
        known = ", ".join(profiles())
        raise BadInput(
            f"--launch slurm needs --profile FILE, or the name of one in slurm/: {known}"
        )
    if options.jobs is not None:
        raise BadInput("--jobs belongs to inline and local; for slurm: --set parallel=N")
    return read_profile(options.profile, options.changes)


def device(settings: NamedProfile) -> str:
    """Cuda where the profile asks for GPUs."""
    return "cuda" if settings.profile.gpus else "cpu"


def hardware(settings: NamedProfile) -> Hardware:
    """The GPUs and cores that the profile asks for."""
    profile = settings.profile
    return Hardware(device(settings), profile.gpu_type, profile.tasks, profile.cpus)


def forecast(cells: Sequence[KeyedCell], cost: CellCost, settings: NamedProfile) -> Forecast:
    """GPU-hours where the profile has GPUs, else core-hours; batches and options of sbatch."""
    seconds = sum(cost(c.cell) for c in cells)
    limits = ask_limits(settings.profile)
    return layout.forecast(layout.lay_out(cells, settings, cost, limits), seconds)


def submit(request: LaunchRequest) -> Launched:
    """Submit the cells that are not in a job and not done by now; a message for each job array,
    none where there was nothing to submit.

    Raises QueueError, BadInput if another process holds the lock, DiskFull or OutputError.
    """
    # Without the lock two commands could both find a cell without a job and submit it twice.
    with submission_lock(request.store):
        cells = _still_missing(request)
        limits = ask_limits(request.settings.profile)
        laid_out = layout.lay_out(cells, request.settings, request.cost, limits)
        submissions = submit_arrays(laid_out, request)
    messages = [
        f"submitted job {s.job}: {plural(s.batches, 'batch')}, {plural(s.cells, 'cell')} ({s.name})"
        for s in submissions
    ]
    return Launched((*messages, *([f"note: {laid_out.requeues}"] if laid_out.requeues else ())))


def status(store: Store, keys: Collection[str], done: Collection[str]) -> JobReport:
    """The jobs of cells that were submitted to SLURM, by any task."""
    return inflight.report(store, keys, done)


def cancel(store: Store, keys: Collection[str], task_name: str) -> Cancelled:
    """Cancel the jobs that this task submitted. Cells of it that other tasks submitted go on.

    Raises QueueError.
    """
    jobs = inflight.find_jobs(store, keys)
    if jobs.problem is not None:
        raise QueueError(jobs.problem)
    live = {
        key: batch_job
        for key, batch_job in jobs.by_key.items()
        if batch_job.batch.task_name == task_name and batch_job.job.live
    }
    ids = {batch_job.job.id for batch_job in live.values()}
    left = [key for key, batch_job in live.items() if not batch_job.batch.is_over(key, store)]
    queue.cancel(sorted(ids))
    return Cancelled(len(ids), len(left))


def _still_missing(request: LaunchRequest) -> list[KeyedCell]:
    """The cells of a request that no job may still write, and that have not ended since they were
    planned.
    """
    store = request.store
    keys = [c.key for c in request.cells]
    jobs = inflight.find_jobs(store, keys)
    if jobs.problem is not None:
        raise QueueError(jobs.problem)
    statuses = store.statuses(keys)
    done = {key for key, status in statuses.items() if status == "done"} - store.replacing
    taken = jobs.in_flight() | done
    return [c for c in request.cells if c.key not in taken]
