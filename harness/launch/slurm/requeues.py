"""Trainings that take longer than a job may: they go on, from checkpoints, in the jobs after it."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from harness.launch.slurm.profile import Profile
from harness.plan.estimate import spoken

#: Seconds until a job trains its first cell: Python, torch, the encoder.
START_SECONDS = 10.0


def jobs_of(seconds: float, profile: Profile) -> int:
    """How many jobs a training of so many seconds needs, one after the other. Each starts, and
    saves a checkpoint in the time of grace before its end.
    """
    limit = 60.0 * profile.time
    used = max(limit / 2, limit - START_SECONDS - profile.grace)
    return max(1, ceil(seconds / used))


def note_on_requeues(trainings: Iterable[float], profile: Profile) -> str | None:
    """One sentence if the longest trainings of batches (seconds) do not end within one job."""
    long = [seconds for seconds in trainings if jobs_of(seconds, profile) > 1]
    if not long:
        return None
    jobs = jobs_of(max(long), profile)
    who = "1 batch has a training" if len(long) == 1 else f"{len(long)} batches have a training"
    sentence = (
        f"{who} longer than the {spoken(60.0 * profile.time)} of a job (the longest takes about "
        f"{spoken(max(long))}): it goes on from checkpoints over {jobs} jobs, one after the other"
    )
    if not profile.requeue:
        return f"{sentence}, but the profile does not requeue: set requeue=true"
    if jobs - 1 > profile.timeouts:
        return f"{sentence}, which is more than timeouts={profile.timeouts} allows: raise it"
    return sentence
