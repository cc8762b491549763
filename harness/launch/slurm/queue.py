"""What SLURM knows of jobs, asked once for many by squeue and sacct.

Jobs are asked for by name. A name is never used twice, while the numbers of jobs begin again when a
cluster is set up anew; and a name is known before sbatch answers.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import BadInput

#: States after which a job does not go on by itself. All others are on their way.
ENDED = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL",
    "OUT_OF_MEMORY", "PREEMPTED", "RECONFIG_FAIL", "REVOKED", "TIMEOUT",
})  # fmt: skip
WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"})
#: What is said of a job that neither squeue nor sacct knows.
UNKNOWN = "UNKNOWN"
PATIENCE_SECONDS = 120.0
_DAY = 24 * 3600.0

Place = tuple[str, int]  # name of the job, index in its array


class QueueError(BadInput):
    """SLURM is not there, refuses, or does not answer."""


@dataclass(frozen=True)
class Job:
    """A job, or a part of an array."""

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
        told = f": {self.reason}" if self.reason not in ("", "None") else ""
        place = f" on {self.node}" if self.node else ""
        return f"job {self.id} {self.state}{place}{told}"


GONE = Job("", UNKNOWN)


class Jobs:
    """What was found of jobs that were asked for."""

    def __init__(self, found: Mapping[Place, Job]) -> None:
        self._found = found
        self._numbers = {name: job.id.partition("_")[0] for (name, _), job in found.items()}

    def of(self, name: str, index: int) -> Job:
        """A part of an array that is known nowhere while other parts are was cancelled before it
        began: SLURM keeps no account of it.
        """
        if (name, index) in self._found:
            return self._found[name, index]
        if name in self._numbers:
            return Job(f"{self._numbers[name]}_{index}", "CANCELLED", "before it began")
        return GONE


def ask(names: Collection[str], since: float) -> Jobs:
    """The jobs of these names, submitted after `since` (seconds since 1970).

    Raises QueueError.
    """
    if not names:
        return Jobs({})
    queued = dict(_queued(names))
    return Jobs(dict(_accounted(names, since)) | queued)


def cancel(ids: Sequence[str]) -> None:
    """Raises QueueError."""
    if ids:
        run_tool("scancel", *ids)


def run_tool(tool: str, *arguments: str) -> str:
    """What a program of SLURM prints.

    Raises QueueError with what it complains of.
    """
    try:
        done = subprocess.run(
            [tool, *arguments], capture_output=True, check=False, timeout=PATIENCE_SECONDS,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise QueueError(
            f"there is no {tool} here: --launch slurm works where SLURM's programs are in PATH"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise QueueError(f"{tool} did not answer within {PATIENCE_SECONDS:.0f} s") from error
    if done.returncode:
        raise QueueError(f"{tool}: {complaint(done.stderr)}")
    return done.stdout


def complaint(text: str) -> str:
    """The reason in what a program of SLURM prints when it fails, as one line."""
    lines = [re.sub(r"^\w+:? error: ", "", line.strip()) for line in text.splitlines()]
    return "; ".join(line for line in lines if line) or "failed without a word"


def _queued(names: Collection[str]) -> Iterator[tuple[Place, Job]]:
    """Jobs in the queue; ended ones stay there for some minutes."""
    text = run_tool(
        "squeue", "--noheader", "--array", "--states=all", f"--name={','.join(names)}",
        "--format=%F|%K|%T|%r|%N|%j",
    )  # fmt: skip
    for line in text.splitlines():
        number, index, state, reason, node, name = line.split("|", 5)
        part = int(index) if index.isdecimal() else None
        if state == "CANCELLED":
            reason = ""  # why it had waited before
        job = Job(number if part is None else f"{number}_{part}", state, reason, node)
        yield (name, part or 0), job


def _accounted(names: Collection[str], since: float) -> Iterator[tuple[Place, Job]]:
    """Jobs that ended, from the accounting; none where a cluster keeps no accounts."""
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
        if state not in ENDED:  # the queue would know it
            state = UNKNOWN
        base, _, rest = number.partition("_")
        for part in _parts(rest):
            job = Job(base if part is None else f"{base}_{part}", state, node=_no_node(node))
            yield (name, part or 0), job


def _parts(text: str) -> Iterator[int | None]:
    """Indices in `4`, or in `[0-2,5%3]` of array parts that ended before they were started; None
    for a job that is no array.
    """
    if not text:
        yield None
    for piece in text.strip("[]").partition("%")[0].split(","):
        first, _, last = piece.partition("-")
        if first.isdecimal():
            yield from range(int(first), int(last or first) + 1)


def _no_node(text: str) -> str:
    return "" if text == "None assigned" else text
