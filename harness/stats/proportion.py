"""One accuracy on one test set, with its interval (N items, G groups)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.clusters import clustered_t, count_groups
from harness.stats.student import TTest, t_quantile

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, IntArray


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
        t, outcomes=len(correct_N), groups=count_groups(groups_N), confidence=confidence
    )


def effective_wilson(
    t: TTest, *, outcomes: int, groups: int, confidence: float = 0.95
) -> Proportion:
    """Wilson's interval of a share whose standard error and df a test gave.

    The number of items becomes the effective one, share (1 - share) / variance, and the quantile
    that of t (Dean and Pagano, Journal of Survey Statistics and Methodology 2015). Near 0 and 1 it
    covers where mean +- t x standard error does not, and it stays in [0, 1]. `outcomes` is how
    many zeros and ones the share was made of. When they are all equal their spread is unknown:
    a group then counts as one item.
    """
    spread = t.mean * (1 - t.mean)
    if t.standard_error**2 > spread / outcomes:
        return wilson(t.mean, spread / t.standard_error**2, confidence=confidence, df=t.df)
    # Groups that happen to agree better than chance do not make more items than there are. The
    # variance is then no longer the test's, and neither are its degrees of freedom.
    effective = float(outcomes if spread else groups)
    return wilson(t.mean, effective, confidence=confidence, df=groups - 1)
