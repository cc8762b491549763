"""What SLURM knows of jobs, by one call of squeue and one of sacct for many jobs.

Jobs are asked for by name. A name is never used twice, while job numbers restart when a cluster is
set up anew; and a name is known before sbatch answers.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import BadInput

#: States after which a job does not go on by itself. In all others it may still run.
ENDED = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL",
    "OUT_OF_MEMORY", "PREEMPTED", "RECONFIG_FAIL", "REVOKED", "TIMEOUT",
})  # fmt: skip
WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
#: The state of a job that neither squeue nor sacct knows.
UNKNOWN = "UNKNOWN"
TIMEOUT_SECONDS = 120.0
_DAY = 24 * 3600.0

NameAndIndex = tuple[str, int]  # name of the job, index in its array


class QueueError(BadInput):
    """SLURM is not installed, refuses, or does not answer."""


@dataclass(frozen=True)
class Job:
    """A job, or one element of a job array."""

    id: str  # 123, or 123_4
    state: str
    reason: str = ""
    node: str = ""

    @property
    def live(self) -> bool:
        """Whether it may still write Records."""
        return self.state not in ENDED and self.state != UNKNOWN

    @property
    def waiting(self) -> bool:
        return self.state in WAITING

    def __str__(self) -> str:
        if self.state == UNKNOWN:
            return "no job: SLURM does not know it (any more)"
        reason = f": {self.reason}" if self.reason not in ("", "None") else ""
        node = f" on {self.node}" if self.node else ""
        return f"job {self.id} {self.state}{node}{reason}"


NO_JOB = Job("", UNKNOWN)


class Jobs:
    """The jobs that squeue and sacct know, of those that were asked for."""

    def __init__(self, known: Mapping[NameAndIndex, Job]) -> None:
        self._known = known
        self._numbers = {name: job.id.partition("_")[0] for (name, _), job in known.items()}

    def of(self, name: str, index: int) -> Job:
        """The element of an array. One that is unknown while other elements are known was cancelled
        before it began: SLURM keeps no account of it.
        """
        if (name, index) in self._known:
            return self._known[name, index]
        if name in self._numbers:
            return Job(f"{self._numbers[name]}_{index}", "CANCELLED", "before it began")
        return NO_JOB


def ask(names: Collection[str], since: float) -> Jobs:
    """The jobs of these names, submitted after `since` (seconds since 1970).

    Raises QueueError.
    """
    if not names:
        return Jobs({})
    queued = dict(_queued(names))
    # The queue is up to date, the accounting some seconds behind: the queue comes first.
    return Jobs(dict(_accounted(names, since)) | queued)


def cancel(ids: Sequence[str]) -> None:
    """Raises QueueError."""
    if ids:
        run_tool("scancel", *ids)


def run_tool(tool: str, *arguments: str) -> str:
    """What a program of SLURM prints.

    Raises QueueError with its error message.
    """
    try:
        ended = subprocess.run(
            [tool, *arguments], capture_output=True, check=False, timeout=TIMEOUT_SECONDS,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise QueueError(
            f"there is no {tool} here: --launch slurm works where SLURM's programs are in PATH"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise QueueError(f"{tool} did not answer within {TIMEOUT_SECONDS:.0f} s") from error
    if ended.returncode:
        raise QueueError(f"{tool}: {error_line(ended.stderr)}")
    return ended.stdout


def error_line(text: str) -> str:
    """The reason in what a program of SLURM prints when it fails, as one line."""
    lines = [re.sub(r"^\w+:? error: ", "", line.strip()) for line in text.splitlines()]
    return "; ".join(line for line in lines if line) or "failed without a message"


def _queued(names: Collection[str]) -> Iterator[tuple[NameAndIndex, Job]]:
    """Jobs in the queue; ended ones stay there for some minutes."""
    text = run_tool(
        "squeue", "--noheader", "--array", "--states=all", f"--name={','.join(names)}",
        "--format=%F|%K|%T|%r|%N|%j",
    )  # fmt: skip
    for line in text.splitlines():
        number, index_text, state, reason, node, name = line.split("|", 5)
        index = int(index_text) if index_text.isdecimal() else None
        if state == "CANCELLED":
            reason = ""  # squeue still shows why it had waited
        job = Job(number if index is None else f"{number}_{index}", state, reason, node)
        yield (name, index or 0), job


def _accounted(names: Collection[str], since: float) -> Iterator[tuple[NameAndIndex, Job]]:
    """Ended jobs, from the accounting; none where a cluster keeps no accounts."""
    # sacct reads local time: a day of margin covers any time zone.
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since - _DAY))
    try:
        text = run_tool(
            "sacct", "--allocations", "--noheader", "--parsable2", f"--name={','.join(names)}",
            f"--starttime={start}", "--format=JobID,State,NodeList,JobName",
        )  # fmt: skip
    except QueueError:
        return
    for line in text.splitlines():
        number, state, node, name = line.split("|", 3)
        state = state.split()[0] if state else UNKNOWN  # CANCELLED by 1000
        if state not in ENDED:  # the queue would know it: the account was never closed
            state = UNKNOWN
        array, _, indices = number.partition("_")
        for index in _indices(indices):
            job = Job(array if index is None else f"{array}_{index}", state, node=_no_node(node))
            yield (name, index or 0), job


def _indices(text: str) -> Iterator[int | None]:
    """Indices in `4`, or in `[0-2,5%3]` of array elements that ended before they started; None for
    a job that is no array.
    """
    if not text:
        yield None
    for piece in text.strip("[]").partition("%")[0].split(","):
        first, _, last = piece.partition("-")
        if first.isdecimal():
            yield from range(int(first), int(last or first) + 1)


def _no_node(text: str) -> str:
    return "" if text == "None assigned" else text
