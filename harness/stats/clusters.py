"""Items that were sampled together: S seeds, N items, G groups (a video's clips, a class)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray


def is_grouped(groups_N: IntArray) -> bool:
    """Whether any group has more than one item."""
    return count_groups(groups_N) < len(groups_N)


def count_groups(groups_N: IntArray) -> int:
    """G, the number of distinct groups."""
    return len(np.unique(groups_N))


def group_deviations(x_SN: FloatArray, groups_N: IntArray) -> FloatArray:
    """Table t_SG of group sums of `x_SN` minus its mean, scaled by G/N, so that means stay means.

    The mean over items is a ratio when groups differ in size: a large group has a large sum
    whatever its accuracy. Centring before summing (linearisation of the ratio; Cochran, Sampling
    Techniques, 1977, section 9A) keeps those sizes out of the variance.

    Raises ValueError if shapes do not match or there is no item.
    """
    if x_SN.ndim != 2 or x_SN.size == 0 or groups_N.shape != (x_SN.shape[1],):
        raise ValueError(f"outcomes {x_SN.shape} do not fit groups {groups_N.shape}")
    centred_SN = x_SN - x_SN.mean()
    _, index_N = np.unique(groups_N, return_inverse=True)
    order_N = np.argsort(index_N, kind="stable")
    starts_G = np.flatnonzero(np.diff(index_N[order_N], prepend=-1))
    sums_SG: FloatArray = np.add.reduceat(centred_SN[:, order_N], starts_G, axis=1)
    return sums_SG * (len(starts_G) / len(groups_N))


def clustered_t(x_N: FloatArray, groups_N: IntArray, *, confidence: float = 0.95) -> TTest:
    """The t test of the mean of `x_N` when whole groups were drawn, with G - 1 degrees of freedom.

    With one item a group it is the ordinary one-sample t test. Source: the cluster-robust
    variance of a mean (Liang and Zeger, Biometrika 1986) with the factor G / (G - 1).

    Raises ValueError if shapes do not match or there are fewer than two groups.
    """
    t_G = group_deviations(np.asarray(x_N, dtype=np.float64)[None, :], groups_N)[0]
    if len(t_G) < 2:
        raise ValueError("one group says nothing about other groups")
    # Already centred by the mean over items, so no degree of freedom is spent a second time.
    variance = float(np.square(t_G).sum()) / (len(t_G) - 1) / len(t_G)
    return t_test(float(np.mean(x_N)), variance**0.5, len(t_G) - 1, confidence=confidence)
