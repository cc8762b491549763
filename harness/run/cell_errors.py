"""Which errors fail one cell alone."""

from __future__ import annotations

from harness.core.errors import CellError, HarnessError
from harness.training.distributed import world
from harness.training.failure import OutOfMemory


def is_of_one_cell(error: Exception) -> bool:
    """Whether an error fails one cell only; other errors stop the run. Of several processes all
    have the same answer: what they raise together is of these kinds, see `agreement`.
    """
    if isinstance(error, HarnessError):
        return isinstance(error, CellError)
    # Another error in one of several is that of an exchange, or no other process knows of it.
    return isinstance(error, OutOfMemory) or world().size == 1
