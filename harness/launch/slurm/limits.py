"""How many jobs a cluster takes: the length of a job array, and the jobs of one user.

Both are asked of SLURM. A cluster that does not say is assumed to be as SLURM is by default.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.launch.slurm.profile import Profile
from harness.launch.slurm.queue import QueueError, run_tool

#: Elements of one array where SLURM does not say; its own default is 1001.
ASSUMED_ARRAY = 1000


@dataclass(frozen=True)
class Limits:
    """The elements that one job array may have, the jobs that may wait and run at once (None:
    unlimited), and what a reader of the plan should know.
    """

    array: int = ASSUMED_ARRAY
    jobs: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def wanted(self) -> int:
        """The number of batches that a submission should not exceed, if they can be longer."""
        return self.array if self.jobs is None else min(self.array, self.jobs)


def ask_limits(profile: Profile) -> Limits:
    """The limits that SLURM tells, of the account and the quality of service of a profile.

    Raises nothing for a SLURM that does not answer: a note says what is assumed.
    """
    try:
        config = run_tool("scontrol", "show", "config")
    except QueueError as error:
        return Limits(jobs=_of_user(profile), notes=(_assumed(str(error)),))
    size, most_jobs = _number(config, "MaxArraySize"), _number(config, "MaxJobCount")
    known = [n for n in (most_jobs, _of_user(profile)) if n is not None]
    jobs = min(known, default=None)
    if size is None:
        return Limits(jobs=jobs, notes=(_assumed("scontrol names no MaxArraySize"),))
    # Indices go from 0 to MaxArraySize - 1. With 0 a cluster has no arrays: each batch is a job.
    return Limits(max(1, size), jobs)


def _assumed(why: str) -> str:
    return f"SLURM's MaxArraySize is not known ({why}): {ASSUMED_ARRAY:,} is assumed"


def _number(config: str, name: str) -> int | None:
    found = re.search(rf"^{name}\s*=\s*(\d+)", config, re.MULTILINE)
    return int(found[1]) if found else None


def _of_user(profile: Profile) -> int | None:
    """MaxSubmitJobs of this user's associations and of the profile's quality of service; None
    where there is no limit, or no accounting that says.
    """
    limits = [*_associated(profile), *_quality_of_service(profile)]
    return min(limits, default=None)


def _associated(profile: Profile) -> Iterator[int]:
    for account, partition, most in _accounting(
        "association", "Account,Partition,MaxSubmitJobs", f"user={_user()}"
    ):
        of_profile = profile.account in (None, account)
        if of_profile and partition in ("", profile.partition) and most.isdecimal():
            yield int(most)


def _quality_of_service(profile: Profile) -> Iterator[int]:
    if profile.qos is not None:
        for (most,) in _accounting("qos", "MaxSubmitJobsPerUser", f"name={profile.qos}"):
            if most.isdecimal():
                yield int(most)


def _accounting(what: str, columns: str, where: str) -> Iterator[list[str]]:
    """Rows of the accounting; none where a cluster keeps no accounts."""
    try:
        text = run_tool(
            "sacctmgr", "--noheader", "--parsable2", "show", what, "where", where,
            f"format={columns}",
        )  # fmt: skip
    except QueueError:
        return
    for line in text.splitlines():
        row = line.split("|")
        if len(row) == len(columns.split(",")):
            yield row


def _user() -> str:
    return getpass.getuser()
