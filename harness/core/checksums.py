"""Checksums of rows of numbers: cheap, so that a row that has changed is noticed, and rows that may
be equal are found. They are no hashes: rows that differ may have one checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = np.ndarray[Any, np.dtype[Any]]
    Words = npt.NDArray[np.uint64]

#: Rows whose checksums are computed together: what fits the cache of a core.
TOGETHER = 512


def checksums(values_NF: Array) -> Words:
    """(N,): of each row the sum of its 64-bit words times odd numbers, modulo 2^64.

    A change within one word always changes it. It is no zero for a row of zeros, as in a hole of a
    file that was not written to its end.
    """
    raw_NB = np.ascontiguousarray(values_NF).view(np.uint8)
    if fill := -raw_NB.shape[1] % 8:
        raw_NB = np.pad(raw_NB, ((0, 0), (0, fill)))
    words_NW = raw_NB.view("<u8")
    factor_W = _factors(words_NW.shape[1])
    sums_N = np.empty(len(words_NW), dtype=np.uint64)
    for start in range(0, len(words_NW), TOGETHER):
        part_NW = words_NW[start : start + TOGETHER]
        sums_N[start : start + TOGETHER] = np.einsum("nw,w->n", part_NW, factor_W)
    return sums_N + np.uint64(len(factor_W) + 1)


def _factors(width: int) -> Words:
    """Odd numbers without a pattern: splitmix64 of 1, 2, ... (Steele et al. 2014)."""
    mixed_W = np.arange(1, width + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed_W = (mixed_W ^ (mixed_W >> np.uint64(shift))) * np.uint64(factor)
    return (mixed_W ^ (mixed_W >> np.uint64(31))) | np.uint64(1)
