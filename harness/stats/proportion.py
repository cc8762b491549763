"""One accuracy on one test set, with its interval (N items, G groups)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.clusters import clustered_t, count_groups
from harness.stats.student import TTest, t_quantile

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, IntArray

#: What every group with the rarer outcome leaves of the weight of the worst case, that a group is
#: no more than one item. Found by simulation (benchmarks/tail.py).
DOUBT = 0.6


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share with its interval, in [0, 1]."""

    mean: float
    low: float
    high: float


def wilson(share: float, n: float, *, confidence: float = 0.95, df: float = np.inf) -> Proportion:
    """Wilson's score interval of `share` of `n` items (Journal of the ASA 1927).

    `n` may be an effective number; finite `df` put Student's t in place of the normal quantile.

    Raises ValueError if `share` is no fraction or `n` is not positive.
    """
    if not (0 <= share <= 1 and n > 0):
        raise ValueError(f"no interval for a share of {share} of {n} items")
    z = t_quantile(df, confidence)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # At the ends the formula is exact but its rounding is not: no interval may miss its share.
    return Proportion(
        share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))
    )


def clustered_wilson(
    correct_N: BoolArray, groups_N: IntArray, *, confidence: float = 0.95
) -> Proportion:
    """Wilson's interval when whole groups were drawn, with G - 1 degrees of freedom.

    Raises ValueError if shapes do not match or there are fewer than two groups.
    """
    t = clustered_t(correct_N.astype(np.float64), groups_N, confidence=confidence)
    return effective_wilson(
        t,
        outcomes=len(correct_N),
        groups=count_groups(groups_N),
        rarer=groups_of_the_rarer(correct_N[None, :], groups_N),
        confidence=confidence,
    )


def groups_of_the_rarer(correct_SN: BoolArray, groups_N: IntArray) -> float:
    """The effective number of groups with the rarer outcome (an error, if most are right).

    Kish's (sum of r)^2 / sum of r^2 over the numbers r of rarer outcomes in every group: 3 for
    three groups with the same number, near 1 where one group has most; 0 without any.
    """
    rare_N = (correct_SN != (correct_SN.mean() >= 0.5)).sum(axis=0)
    _, index_N = np.unique(groups_N, return_inverse=True)
    rare_G = np.bincount(index_N, rare_N)
    squares = float(rare_G @ rare_G)
    return float(rare_G.sum()) ** 2 / squares if squares else 0.0


def effective_wilson(
    t: TTest, *, outcomes: int, groups: int, rarer: float, confidence: float = 0.95
) -> Proportion:
    """Wilson's interval of a share whose standard error and df a test gave.

    The number of items becomes the effective one, share (1 - share) / variance, and the quantile
    that of t (Dean and Pagano, Journal of Survey Statistics and Methodology 2015). Near 0 and 1 it
    covers where mean +- t x standard error does not, and it stays in [0, 1]. `outcomes` is how
    many zeros and ones the share was made of, `rarer` the effective number of groups with the rarer
    one (see `groups_of_the_rarer`).

    When all outcomes are equal their spread is unknown: a group then counts as one item. When a few
    groups have the rarer outcome it is hardly known: `doubtful`.
    """
    spread = t.mean * (1 - t.mean)
    if t.standard_error**2 > spread / outcomes:
        effective, df = spread / t.standard_error**2, t.df
    else:
        # Groups that happen to agree better than chance do not make more items than there are. The
        # variance is then no longer the test's, and neither are its degrees of freedom.
        effective, df = float(outcomes), groups - 1
    return wilson(t.mean, doubtful(effective, groups, rarer), confidence=confidence, df=df)


def doubtful(effective: float, groups: int, rarer: float) -> float:
    """The effective number of items where `rarer` groups are all that shows its variance.

    The variance is a weighted mean of that which was found and that of one item a group, the worst
    case, whose weight is 0.6 to the power of `rarer`: 1 where all outcomes are equal, 0.006 at 10
    groups.
    """
    worst, weight = min(float(groups), effective), DOUBT**rarer
    return float(1 / (weight / worst + (1 - weight) / effective))
