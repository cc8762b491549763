"""Checksums of the rows of precomputed features, kept in the cache for files of many rows.

CACHE/rows/<content>.npy holds those of N rows as float32, (N,), and then the checksum of all these.
It is written after every row was found to have a direction, which need not be checked again then.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cache import keep
from harness.core.checksums import checksums
from harness.core.files import cache_folder
from harness.core.mapped import blocks

if TYPE_CHECKING:
    from harness.core.checksums import Words

    Array = np.ndarray[Any, np.dtype[Any]]

#: Rows from which checksums are kept: to compute those of fewer takes no time.
MANY = 65_536
#: Rows that are in memory together as float32.
_TOGETHER = 8192


def row_checksums(features_NF: Array, content: str) -> Words:
    """(N,): equal numbers in float32 have equal checksums. `content` is the hash of the file."""
    found_N = kept_checksums(content, len(features_NF))
    if found_N is not None:
        return found_N
    parts = [checksums(block.astype(np.float32)) for block in blocks(features_NF, _TOGETHER)]
    sums_N = np.concatenate(parts)
    if len(sums_N) >= MANY:
        keep(_file(content), lambda f: np.save(f, np.append(sums_N, checksums(sums_N[None]))))
    return sums_N


def kept_checksums(content: str, n: int) -> Words | None:
    """What an earlier call kept; None if there is nothing, or it is damaged."""
    if n < MANY:
        return None
    try:
        sums_N = read_checksums(_file(content))
    except (OSError, ValueError, EOFError):
        return None
    return sums_N if len(sums_N) == n else None


def read_checksums(path: Path) -> Words:
    """Raises OSError, ValueError or EOFError for a file that is damaged."""
    kept = np.load(path, allow_pickle=False)
    if kept.dtype != np.uint64 or kept.ndim != 1 or len(kept) < 2:
        raise ValueError("it is no list of checksums")
    sums_N: Words = kept[:-1]
    if checksums(sums_N[None])[0] != kept[-1]:
        raise ValueError("its last number is not the checksum of the others")
    return sums_N


def _file(content: str) -> Path:
    return cache_folder() / "rows" / f"{content[:32]}.npy"
