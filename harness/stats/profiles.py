"""Methods over datasets, described: which is likely to be ahead, and how far one is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.across import DECIMALS
from harness.stats.proportion import Proportion, wilson

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

#: Fewer datasets have no interval, as they have no p.
LEAST_DATASETS = 6


@dataclass(frozen=True, slots=True)
class Improvement:
    """The chance that a run of a is ahead of a run of b; `interval` is None where too few data."""

    mean: float
    datasets: int
    interval: Proportion | None


def improvement(
    a_MS: Sequence[FloatArray], b_MS: Sequence[FloatArray], *, new_datasets: bool
) -> Improvement:
    """The mean over datasets of the share of pairs of runs in which a is ahead; a tie is a half.

    After Agarwal et al., NeurIPS 2021 ("probability of improvement"). `a_MS` has an array of the
    accuracies of the runs (seeds) for every dataset; the two may have different numbers of runs.
    With `new_datasets` Wilson's interval with M - 1 degrees of freedom, as if every dataset were
    one all-or-nothing outcome: that is the largest spread that shares can have.

    Raises ValueError if there is no dataset, or one without runs.
    """
    if len(a_MS) != len(b_MS) or not a_MS or any(len(x) == 0 for x in (*a_MS, *b_MS)):
        raise ValueError("runs of the same datasets are needed")
    ahead_M = [_ahead(a_S, b_S) for a_S, b_S in zip(a_MS, b_MS, strict=True)]
    mean, m = float(np.mean(ahead_M)), len(ahead_M)
    may = new_datasets and m >= LEAST_DATASETS
    return Improvement(mean, m, wilson(mean, m, df=m - 1) if may else None)


def _ahead(a_S: FloatArray, b_S: FloatArray) -> float:
    d_SS = np.round(np.subtract.outer(a_S, b_S), DECIMALS)
    return float((np.sign(d_SS) + 1).mean() / 2)


def behind_best(scores_MK: FloatArray) -> FloatArray:
    """How far every method is below the best one of each dataset (M x K, as fractions).

    The share of datasets in which a method is at most t behind, over t, is its performance profile
    (Dolan and More, Mathematical Programming 2002, with differences in place of ratios).
    """
    behind_MK: FloatArray = np.round(scores_MK.max(axis=1, keepdims=True) - scores_MK, DECIMALS)
    return behind_MK


def cliques(k: int, separable: set[frozenset[int]]) -> list[tuple[int, ...]]:
    """The largest sets of at least two of k methods without a separable pair (Bron and Kerbosch,
    Communications of the ACM 1973), in the order of their first members.
    """
    tied = {i: {j for j in range(k) if j != i and frozenset((i, j)) not in separable}
            for i in range(k)}  # fmt: skip
    found: list[tuple[int, ...]] = []

    def extend(clique: set[int], more: set[int], done: set[int]) -> None:
        if not more and not done:
            found.append(tuple(sorted(clique)))
            return
        pivot = max(more | done, key=lambda i: len(tied[i] & more))
        for i in sorted(more - tied[pivot]):
            extend(clique | {i}, more & tied[i], done & tied[i])
            more, done = more - {i}, done | {i}

    extend(set(), set(range(k)), set())
    return sorted(c for c in found if len(c) > 1)
