"""What the processes of a training agree on before they go on: a lack of memory, an interruption.

A GPU may have too little memory in one process alone, while the others wait for it in an exchange.
So between two exchanges every process works by itself, and then tells the others how it went:

    with agreement(group):
        ...  # no exchange in here, but for agreements and steps of a GradientExchange

An error outside of every inner agreement is told in the next one of the others, which must come
before any other exchange. An agreement costs one exchange of three bytes between CPUs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.training.distributed import World


class OutOfMemory(Exception):
    """Some process of this training ran out of memory on its GPU; every process raises it."""

    @classmethod
    def of(cls, error: BaseException | None) -> OutOfMemory:
        """From the error of this process; None: it was another process."""
        return cls("in another process of this training" if error is None else str(error))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the GPU of this process, or of another that told so, has too little memory."""
    import torch

    return isinstance(error, (OutOfMemory, torch.OutOfMemoryError))


@contextmanager
def agreement(group: World) -> Iterator[None]:
    """Raises OutOfMemory in every process if one of them ran out of memory inside."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
            raise
        group.any_of([True, False, False])
        raise OutOfMemory.of(error) from error
    agree(group)


@dataclass(frozen=True)
class Turn:
    """What is to be done before the next step, in every process."""

    interrupted: bool = False
    save: bool = False


def agree(group: World, *, interrupted: bool = False, save: bool = False) -> Turn:
    """What any process asks for.

    Raises OutOfMemory if another process ran out of memory since the last agreement.
    """
    is_short, *asked = group.any_of([False, interrupted, save])
    if is_short:
        raise OutOfMemory.of(None)
    return Turn(*asked)
