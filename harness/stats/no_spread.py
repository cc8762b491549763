"""Units (groups of items, or seeds) that all say the same: a variance of zero is no proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.clusters import group_deviations

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

#: Deviations of fractions that are smaller are rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class NoSpread:
    """The interval and p of a difference that all units share; fractions."""

    standard_error: float
    low: float
    high: float
    p: float


def no_spread(d: float, n: int, *, confidence: float = 0.95) -> NoSpread:
    """What `n` units (groups, or seeds) show that all have the difference `d`, in [-1, 1].

    One unit with +1 and one with -1 are added to them. For -1, 0 and 1 that is the interval of
    Bonett and Price (Statistics in Medicine 2012; see `mcnemar`). p is that of the sign test.

    Raises ValueError if there is no unit or `d` is no difference of accuracies.
    """
    if n < 1 or not abs(d) <= 1:
        raise ValueError(f"a difference of {d} in {n} units")
    from scipy.special import ndtri

    centre = n * d / (n + 2)
    error = (((n * d**2 + 2) / (n + 2) - centre**2) / (n + 2)) ** 0.5
    half = float(ndtri((1 + confidence) / 2)) * error
    p = min(1.0, 2.0 ** (1 - n)) if d else 1.0
    return NoSpread(error, max(-1.0, centre - half), min(1.0, centre + half), p)


def groups_agree(x_SN: FloatArray, groups_N: IntArray) -> bool:
    """Whether every group has the same mean in every seed.

    Items may differ within their groups, so this is not only where all of them are equal.
    """
    return bool(np.abs(group_deviations(x_SN, groups_N)).max() < ROUNDING)
