"""torch's process group, which ends with its threads.

The workers of gloo take Python's lock to let go of the tensors of an exchange. One that does so
while Python ends aborts a process that has done all its work ("terminate called without an active
exception", status -6). They end with the last reference to the group, so nothing may keep one.
"""

from __future__ import annotations

import gc
import sys
import traceback
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any

from harness.core.errors import BadInput


@contextmanager
def torch_group(
    backend: str, where: str, rank: int, size: int, coming: timedelta, patience: timedelta
) -> Iterator[None]:
    """The default group of torch, which meets at `where` (tcp://HOST:PORT). An exchange lasts at
    most `patience`.

    Raises BadInput with the processes that do not come within `coming`.
    """
    import torch.distributed as dist

    # Arguments of its functions have the default group of the time of the import as default value.
    # An optimiser's first step imports it.
    import_module("torch.distributed.nn.functional")

    try:
        dist.init_process_group(
            backend, store=_meet(where, rank, size, coming), rank=rank, world_size=size,
            timeout=patience,
        )  # fmt: skip
    except dist.DistError as error:
        raise BadInput(f"{size} processes did not meet at {where}: {first_line(error)}") from error
    try:
        yield
    finally:
        group: weakref.ref[Any] = weakref.ref(dist.group.WORLD)
        dist.destroy_process_group()
        _release(group)


def _meet(where: str, rank: int, size: int, patience: timedelta) -> Any:
    """The store of process 0, at which every process has announced itself.

    Raises BadInput with the processes that have not come in time.
    """
    import torch.distributed as dist
    from torch.distributed.rendezvous import rendezvous

    try:
        # As for one process: a store that waits for all does not say who is missing.
        store, _, _ = next(rendezvous(where, rank, 1, timeout=patience))
        store.set(_come(rank), "")
        missing = _missing(store, size, patience)
    except dist.DistError as error:
        if rank == 0:
            raise
        raise BadInput(
            f"process 0 of {size} does not answer at {where}; see its messages, if it was started: "
            f"{first_line(error)}"
        ) from error
    if missing:
        raise BadInput(
            f"of {size} processes these did not come to {where} within "
            f"{patience.total_seconds():.0f} s: {', '.join(map(str, missing))}; see their "
            "messages, if they were started"
        )
    return store


def _missing(store: Any, size: int, patience: timedelta) -> list[int]:
    """Who has not come when all have, or patience has come to an end."""
    import torch.distributed as dist

    try:
        store.wait([_come(each) for each in range(size)], patience)
    except dist.DistStoreError:
        return [each for each in range(size) if not store.check([_come(each)])]
    return []


def _come(rank: int) -> str:
    return f"come/{rank}"


def _release(group: weakref.ref[Any]) -> None:
    """Drop the references of calls that an error has ended, and of cycles."""
    error, cleared = sys.exc_info()[1], set[int]()
    while error is not None and id(error) not in cleared:
        traceback.clear_frames(error.__traceback__)
        cleared.add(id(error))
        error = error.__cause__ or error.__context__
    if group() is not None:
        gc.collect()


def first_line(error: BaseException) -> str:
    """An error in one line, as it is told to other processes."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
