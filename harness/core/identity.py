"""Whether a file is still the one that was read: its identity by stat.

Size, times and inode. The time of the last write (mtime) can be set by anyone, as `cp -p` and
unpacking an archive do. The time of the last change of the inode (ctime) cannot, so it is part of
the identity. What is remembered about a file by its identity holds while none of the four changes.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    #: (N, 4): an identity a row.
    Identities = npt.NDArray[np.uint64]

#: (size in bytes, mtime in ns, ctime in ns, inode), as unsigned 64-bit numbers.
Identity = tuple[int, int, int, int]
_UNSIGNED = 2**64 - 1
#: A file that changed less than this before it was read may change again within one tick of the
#: file system's clock, and keep its times. Systems that count whole seconds tick more slowly.
TICK_NS, COARSE_TICK_NS = 20_000_000, 2_000_000_000


def identity(path: Path | str | int) -> Identity:
    """The identity of a file, or of an open one by its descriptor.

    Raises OSError if there is none.
    """
    return of_stat(os.stat(path))  # noqa: PTH116 - it also takes a descriptor


def of_stat(found: os.stat_result) -> Identity:
    return (
        found.st_size,
        found.st_mtime_ns & _UNSIGNED,
        found.st_ctime_ns & _UNSIGNED,
        found.st_ino & _UNSIGNED,
    )


def identities(root: Path, items: Sequence[str]) -> Identities:
    """(N, 4): the identities of files below `root`.

    Raises OSError for one that is not there, and for what is no regular file.
    """
    prefix = os.path.join(root, "")  # noqa: PTH118 - a million Path objects take half a minute
    numbers = array("Q")
    for item in items:
        found = os.stat(prefix + item)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode):
            raise OSError(None, "it is no regular file", prefix + item)
        numbers.extend(of_stat(found))
    return np.frombuffer(numbers, dtype=np.uint64).reshape(-1, 4)


def seconds_to_settle(file: Identity, now_ns: int) -> float:
    """How long from now a file could still change and keep its identity; 0.0 if it could not."""
    _, modified, changed, _ = file
    coarse = modified % 1_000_000_000 == 0 and changed % 1_000_000_000 == 0
    left = max(modified, changed) + (COARSE_TICK_NS if coarse else TICK_NS) - now_ns
    return max(0.0, left / 1e9)
