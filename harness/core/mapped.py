"""Tables in files that are mapped into memory, looked at in blocks of rows."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


def blocks(x_NF: Array, rows: int) -> Iterator[Array]:
    """(n, F) blocks of at most so many rows, in order. Once the next one is asked for, the pages of
    a file that is mapped read-only are given back, so that a look at every row of a large file
    does not fill the memory.
    """
    for start in range(0, len(x_NF), rows):
        yield x_NF[start : start + rows]
        give_back(x_NF)


def give_back(x_NF: Array) -> None:
    """Give back what is in memory of a file that is mapped read-only; it is read again where it is
    needed. Nothing of other arrays.
    """
    # Of another mode what was changed in memory would be lost.
    if isinstance(x_NF, np.memmap) and x_NF.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        mapping: mmap.mmap | None = getattr(x_NF, "_mmap", None)
        if mapping is not None:
            mapping.madvise(mmap.MADV_DONTNEED)
