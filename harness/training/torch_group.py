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
    backend: str, where: str, rank: int, size: int, patience: timedelta
) -> Iterator[None]:
    """The default group of torch, which meets at `where` (tcp://HOST:PORT).

    Raises BadInput if the processes do not meet within `patience`, which also limits each exchange.
    """
    import torch.distributed as dist

    # Arguments of its functions have the default group of the time of the import as default value.
    # An optimiser's first step imports it.
    import_module("torch.distributed.nn.functional")

    try:
        dist.init_process_group(
            backend, init_method=where, rank=rank, world_size=size, timeout=patience
        )
    except dist.DistError as error:
        raise BadInput(f"{size} processes did not meet at {where}: {first_line(error)}") from error
    try:
        yield
    finally:
        group: weakref.ref[Any] = weakref.ref(dist.group.WORLD)
        dist.destroy_process_group()
        _release(group)


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
