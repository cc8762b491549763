"""Reading ahead: worker processes read, decode and crop what a step needs next.

What is read depends on the request alone, so it is the same for any number of workers. Workers are
forked, which takes no time and needs no copy of the data set; they never touch a GPU, so one that
the parent uses does no harm. They have one thread each.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.errors import CellError
from harness.training.failure import Failure
from harness.training.threads import cores

if TYPE_CHECKING:
    pass

Request = TypeVar("Request")
Result = TypeVar("Result")

#: Requests that each worker reads ahead.
AHEAD = 2
#: The share of the free shared memory that requests on their way may fill.
SHARE = 0.5
SHARED_MEMORY = Path("/dev/shm")
#: Signals that end or save a run, which the parent alone answers.
OF_THE_PARENT = (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
DIED = re.compile(r"DataLoader worker.*(killed by signal: (?P<signal>[\w ]+)|exited unexpectedly)")


def default_workers() -> int:
    """The cores of this process; those of a node are shared by the processes of a training on it.

    A process that srun has bound to its cores sees these alone.
    """
    local = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return max(1, cores() // max(1, int(local) if local.isdecimal() else 1))


def shared_workers(declared: int | None, at_once: int) -> int:
    """The workers of each of so many trainings at once: as declared, else a share of the cores."""
    return max(1, default_workers() // max(1, at_once)) if declared is None else declared


def read_ahead(
    read: Callable[[Request], Result],
    requests: Iterable[Request],
    *,
    workers: int,
    nbytes: int = 0,
    pinned: bool = False,
) -> Generator[Result, None, None]:
    """What `read` makes of every request, in order.

    `workers` processes read ahead of their use (0: this process reads when it is asked). `nbytes`
    is the size of one result: as many are on their way as shared memory has room for. `pinned`: in
    memory that a GPU copies from by itself. Close the generator to end the workers.

    Raises what `read` raises, and CellError for a worker that died.
    """
    workers, requests = _useful(workers, requests)
    workers = _with_room(workers, nbytes)
    reads = _Reads(read)
    batches = (
        _loader(reads, requests, workers, pinned=pinned)
        if workers
        else map(reads.__getitem__, requests)
    )
    try:
        for result in batches:
            if isinstance(result, Failure):
                raise result.error()
            yield result
    except RuntimeError as error:
        raise _reason(error) from error
    finally:
        del batches  # ends the workers


def _useful(workers: int, requests: Iterable[Request]) -> tuple[int, Iterable[Request]]:
    """No workers for one or two requests, which are sooner read than workers are forked; and the
    requests.
    """
    iterator = iter(requests)
    first = list(itertools.islice(iterator, AHEAD + 1))
    if len(first) <= AHEAD or not hasattr(os, "fork"):
        workers = 0
    return workers, itertools.chain(first, iterator)


def _with_room(workers: int, nbytes: int) -> int:
    """So many workers that their results fit into shared memory."""
    if workers == 0 or nbytes == 0 or not SHARED_MEMORY.is_dir():
        return workers
    free = os.statvfs(SHARED_MEMORY)
    room = int(free.f_bavail * free.f_frsize * SHARE) // nbytes
    if room < 2:
        print(
            f"warning: {SHARED_MEMORY} has room for less than two batches of {nbytes:,} bytes: "
            "pictures are read without workers; make it larger to read ahead",
            file=sys.stderr,
        )
        return 0
    return min(workers, max(1, room // AHEAD))


def _loader(reads: _Reads, requests: Iterable[Any], workers: int, *, pinned: bool) -> Any:
    import torch
    from torch.utils.data import DataLoader

    with warnings.catch_warnings():
        # More workers than cores: the task says so.
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        loader: Any = DataLoader(
            reads,  # type: ignore[arg-type]  # what is asked for is no index
            batch_size=None,
            sampler=requests,
            num_workers=workers,
            prefetch_factor=AHEAD,
            collate_fn=_unchanged,
            pin_memory=pinned,
            multiprocessing_context="fork",
            worker_init_fn=_begin_worker,
            generator=torch.Generator(),  # else it draws from the generator of everybody
        )
        return iter(loader)


class _Reads:
    """`read` as a data set whose indices are requests."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __getitem__(self, request: Any) -> Any:
        try:
            return self._read(request)
        except Exception as error:  # torch would raise it with a traceback as its message
            return Failure.of(error)


def _unchanged(result: Any) -> Any:
    return result


def _begin_worker(_: int) -> None:
    for number in OF_THE_PARENT:
        signal.signal(number, signal.SIG_IGN)


def _reason(error: RuntimeError) -> Exception:
    """A dead worker as the reason of a cell; another error as it is."""
    died = DIED.search(str(error))
    if died is None:
        return error
    what = died["signal"] or "it exited"
    if what.startswith("Bus"):
        return CellError(
            f"a process that reads data was killed ({what.strip()}): {SHARED_MEMORY} is full; make "
            "it larger, or set loader: {workers: 0}"
        )
    return CellError(
        f"a process that reads data was killed ({what.strip()}): if memory was short, set "
        "loader: {workers: ...} to fewer"
    )
