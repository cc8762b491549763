"""The error of one process in words that another can be sent, and that raise it there again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.errors import (
    BadInput,
    CellError,
    DataError,
    DiskFull,
    EncoderError,
    HarnessError,
    OutputError,
)


class OutOfMemory(Exception):
    """Some process of this training ran out of memory on its GPU; every process raises it."""


#: Errors that are made of their message alone. Those derived from one of them are sent as that one,
#: all others as a CellError that names them.
PLAIN: tuple[type[BaseException], ...] = (
    CellError, DataError, EncoderError, OutputError, DiskFull, BadInput, HarnessError, OutOfMemory,
    KeyboardInterrupt,
)  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """What kind of error a process met, and its message."""

    kind: type[BaseException]
    message: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        if is_out_of_memory(error):
            return cls(OutOfMemory, str(error))
        kind = next((kind for kind in type(error).__mro__ if kind in PLAIN), None)
        if kind is None:
            return cls(CellError, f"{type(error).__name__}: {error}")
        return cls(kind, str(error))

    def error(self) -> BaseException:
        """The error to raise."""
        return self.kind(self.message)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the GPU of this process, or of another that told so, has too little memory."""
    import torch

    return isinstance(error, (OutOfMemory, torch.OutOfMemoryError))


def of_all(failures: Sequence[Failure | None]) -> Failure:
    """The failure that stands for those of all processes, of which at least one has failed: the
    first that is no lack of memory, which is tried again. It names its process unless all processes
    met the same.
    """
    met = [(rank, failure) for rank, failure in enumerate(failures) if failure is not None]
    lasting = [pair for pair in met if pair[1].kind is not OutOfMemory]
    rank, failure = (lasting or met)[0]
    if all(other == failure for other in failures):
        return failure
    return replace(failure, message=f"in process {rank} of {len(failures)}: {failure.message}")
