"""Methods compared over datasets: one value for each dataset and method (M datasets, K methods).

The datasets are the sample: what is said of them is about other datasets of their kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.corrected_t import corrected_t
from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

#: Accuracies are quotients; two equal differences of them differ by rounding.
DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Across:
    """The first method against the second. `p` is None where it must not be given."""

    win: int
    tie: int
    loss: int
    mean: float  # of the differences, fractions
    p: float | None


@dataclass(frozen=True, slots=True)
class Friedman:
    """`mean_ranks`, one a method, count from 1, the best."""

    statistic: float
    df: int
    p: float
    mean_ranks: tuple[float, ...]


def across(a_M: FloatArray, b_M: FloatArray, *, m: int = 1, alpha: float = 0.05) -> Across:
    """Wins, ties and losses of `a_M` against `b_M`, and the exact Wilcoxon p if it may be given.

    `m` is the size of the family in which the p will be adjusted. Datasets on which both are
    equal say nothing and are left out of the test.

    Raises ValueError if shapes differ or there is no dataset.
    """
    a_M, b_M = np.asarray(a_M, dtype=np.float64), np.asarray(b_M, dtype=np.float64)
    if a_M.shape != b_M.shape or a_M.ndim != 1 or len(a_M) == 0:
        raise ValueError(f"{a_M.shape} and {b_M.shape} are not values of the same datasets")
    d_M = np.round(a_M - b_M, DECIMALS)
    win, loss = int((d_M > 0).sum()), int((d_M < 0).sum())
    p = wilcoxon_p(d_M) if may_give_p(win + loss, m=m, alpha=alpha) else None
    return Across(win, len(d_M) - win - loss, loss, float((a_M - b_M).mean()), p)


def may_give_p(n: int, *, m: int = 1, alpha: float = 0.05) -> bool:
    """Whether the smallest p that `n` datasets can give, 2/2^n, reaches `alpha` among `m` tests."""
    return n > 0 and 2.0 ** (1 - n) <= alpha / m


def t_over_datasets(
    x_M: FloatArray, overlap: float = 0.0, *, confidence: float = 0.95
) -> TTest | None:
    """The t test of the mean of `x_M`, a value or a difference of each dataset.

    `overlap` is the mean correlation of two of them: of class draws the share of classes that they
    have in common. The corrected resampled t test then has n_test/n_train = overlap/(1 - overlap),
    as the mean of M values with mean correlation r has the variance s^2 (1/M + r/(1 - r)). None for
    one dataset (fewer than four draws that overlap), values without spread, or the same classes.
    """
    x_M = np.asarray(x_M, dtype=np.float64)
    if len(x_M) < 2 or np.ptp(np.round(x_M, DECIMALS)) == 0 or overlap >= 1:
        return None
    if overlap > 0:
        return corrected_t(x_M, overlap / (1 - overlap), confidence=confidence).t
    error = float(x_M.std(ddof=1)) / len(x_M) ** 0.5
    return t_test(float(x_M.mean()), error, len(x_M) - 1, confidence=confidence)


def wilcoxon_p(d_M: FloatArray) -> float:
    """Exact two-sided signed-rank test of `d_M`, with mid-ranks; zeros are left out.

    All 2^n sign patterns are counted, so ties among |d| need no approximation (Wilcoxon,
    Biometrics Bulletin 1945; for datasets: Demsar, JMLR 2006).
    """
    from scipy.stats import rankdata

    d_M = np.round(d_M, DECIMALS)
    d_M = d_M[d_M != 0]
    # Mid-ranks are halves: doubled, sums of them index an array.
    ranks_M: IntArray = np.rint(2 * rankdata(np.abs(d_M))).astype(np.int64)
    chance = np.zeros(int(ranks_M.sum()) + 1)
    chance[0] = 1.0
    for r in ranks_M.tolist():
        with_rank = np.zeros_like(chance)
        with_rank[r:] = chance[: len(chance) - r]
        chance = (chance + with_rank) / 2
    positive = int(ranks_M[d_M > 0].sum())
    tail = min(float(chance[: positive + 1].sum()), float(chance[positive:].sum()))
    return min(1.0, 2 * tail)


def friedman(scores_MK: FloatArray) -> Friedman:
    """Whether any of K methods differs over M datasets; higher scores are better.

    The omnibus before pairwise Wilcoxon tests (Friedman, Journal of the ASA 1937), with the
    correction for ties and K - 1 degrees of freedom. Methods that tie everywhere: p is 1.

    Raises ValueError if there are fewer than three methods or two datasets.
    """
    from scipy.special import chdtrc
    from scipy.stats import rankdata

    if scores_MK.ndim != 2 or scores_MK.shape[0] < 2 or scores_MK.shape[1] < 3:
        raise ValueError(f"scores {scores_MK.shape}: at least 2 datasets x 3 methods are needed")
    n, k = scores_MK.shape
    ranks_MK = rankdata(-np.round(scores_MK, DECIMALS), axis=1)
    mean_ranks_K: FloatArray = ranks_MK.mean(axis=0)
    between = n**2 * float(np.square(mean_ranks_K - (k + 1) / 2).sum())
    within = float(np.square(ranks_MK - (k + 1) / 2).sum())  # less than n k (k^2 - 1) / 12 by ties
    statistic = (k - 1) * between / within if within > 0 else 0.0
    return Friedman(statistic, k - 1, float(chdtrc(k - 1, statistic)), tuple(mean_ranks_K.tolist()))
