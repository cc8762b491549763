"""Rows of numbers that have a direction, as every use of features and texts needs.

Training and evaluation normalise in float32. There a row of 1e30 has an infinite norm and a row of
1e-30 none, so that both would become nonsense without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.mapped import blocks

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

#: torch.nn.functional.normalize divides by this much at least.
SMALLEST_NORM = 1e-12
#: The square of a norm must be a float32 number.
LARGEST_NORM = float(np.sqrt(np.finfo(np.float32).max))
#: Rows that are looked at together, so that a large file is not copied as a whole.
_TOGETHER = 8192

NOT_FINITE = "is not finite"
TOO_LARGE = f"has a norm above {LARGEST_NORM:.2g}, too large for float32"
ZERO = "is zero"
TOO_SMALL = f"has a norm below {SMALLEST_NORM:g}, too small for float32"


def without_direction(x_NF: Array, *, zero_is_wrong: bool = True) -> tuple[Array, str] | None:
    """(rows, what is wrong with them) for the first kind of fault there is; None if all rows have a
    direction in float32. `what` follows the name of an array or of an item.

    Rows of zeros are right where a projection with a bias follows: `zero_is_wrong` is false then.
    """
    norm_N = np.concatenate([_norms(block_NF) for block_NF in blocks(x_NF, _TOGETHER)])
    faults = (
        (NOT_FINITE, np.isnan(norm_N)), (TOO_LARGE, norm_N > LARGEST_NORM),
        (ZERO, norm_N == 0), (TOO_SMALL, norm_N < SMALLEST_NORM),
    )  # fmt: skip
    for what, has_N in faults if zero_is_wrong else faults[:2]:
        if has_N.any():
            return np.flatnonzero(has_N), what
    return None


def _norms(x_NF: Array) -> Array:
    """(N,) norms in float64; NaN where a number is not finite."""
    wide_NF = np.asarray(x_NF, dtype=np.float64)
    largest_N = np.abs(wide_NF).max(axis=1, initial=0.0)  # scaled by it, no square overflows
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        scaled_NF = wide_NF / np.where(largest_N > 0, largest_N, 1.0)[:, None]
        norm_N: Array = largest_N * np.sqrt(np.einsum("nf,nf->n", scaled_NF, scaled_NF))
    norm_N[~np.isfinite(wide_NF).all(axis=1)] = np.nan
    return norm_N
