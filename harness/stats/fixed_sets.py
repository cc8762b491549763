"""The mean over a fixed list of data sets: new seeds and new items of the same data sets.

S seeds, N items of a data set, G clusters of a stratum. Seeds are shared by the data sets (the same
seed draws all of them); items are not, except where data sets overlap (draws of classes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Part, Spread
from harness.stats.no_spread import groups_agree, no_spread
from harness.stats.planning import Components
from harness.stats.proportion import Proportion, doubtful, groups_of_the_rarer, wilson
from harness.stats.spread import combined, share_of_seeds, total, with_known
from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class SetOutcomes:
    """A data set: correctness, or paired differences of it, and its share in the mean.

    `clusters_N` are ids over all data sets: items that were sampled together have the same one, and
    so have items that two data sets share.
    """

    x_SN: FloatArray
    clusters_N: IntArray
    weight: float


@dataclass(frozen=True, slots=True)
class SetsMean:
    """The weighted mean of data sets with its t test, and where its variance comes from."""

    t: TTest
    share_seeds: float | None  # of the variance, which more seeds would remove; None without any
    clusters: int
    spread: Spread | None  # None for one seed


def mean_of_sets(
    sets: Sequence[SetOutcomes], *, paired: bool, confidence: float = 0.95
) -> SetsMean:
    """The mean of data sets that are fixed, over new seeds and new items of each.

    The variance is that of two-way random effects, with the items nested in data sets: the spread
    of the seeds' means, and for every stratum (data sets that share items) the mean square of its
    clusters less that of the residual. One data set gives `two_way`, one seed (deterministic rows)
    a stratified `clustered_t`. Degrees of freedom after Satterthwaite, at least 1. A data set whose
    outcomes are all equal has no spread, which is no proof: its clusters are counted (paired
    differences: Bonett and Price; correctness: Agresti and Coull).

    Raises ValueError if shapes or weights do not fit, or a data set has one cluster.
    """
    _check(sets)
    strata = [_table(group) for group in _strata(sets)]
    n_seeds = len(sets[0].x_SN)
    known = sum(s.weight**2 * _variance_of_equal(s, paired=paired) for s in sets)
    spread = None if n_seeds == 1 else _spread(strata, known)
    if spread is None:
        v = with_known(total(_of_clusters(u_SG) for u_SG in strata), known)
        share = None if v.variance == 0 else 0.0
    else:
        v, share = combined(spread), share_of_seeds(spread)
    mean = float(sum(s.weight * s.x_SN.mean() for s in sets))
    t = t_test(mean, v.variance**0.5, v.df, confidence=confidence)
    return SetsMean(t, share, sum(u_SG.shape[1] for u_SG in strata), spread)


def components_of_sets(sets: Sequence[SetOutcomes]) -> Components:
    """The components of the mean of paired differences, to plan with.

    `n_groups` is the number of clusters of one data set that would have the same degrees of freedom
    (Satterthwaite): as many times more of them are as many times more items in every data set.

    Raises ValueError as `mean_of_sets` does, and for one seed.
    """
    _check(sets)
    n_seeds = len(sets[0].x_SN)
    strata = [_table(group) for group in _strata(sets)]
    known = sum(s.weight**2 * _variance_of_equal(s, paired=True) for s in sets)
    if n_seeds < 2:
        v = total(_of_clusters(u_SG) for u_SG in strata)
        n_groups = max(2, round(v.df) + 1)
        groups = (v.variance + known) * n_groups
        return Components(0.0, groups, 0.0, 1, n_groups, random_seeds=False)
    spread = _spread(strata, known)
    clusters, residual = total(spread.groups), total(spread.residual).variance
    n_groups = max(2, round(clusters.df) + 1)
    return Components(
        seeds=max(0.0, spread.seeds.variance - residual) * n_seeds,
        groups=(max(0.0, clusters.variance - residual) + known) * n_groups,
        residual=residual * n_seeds * n_groups,
        n_seeds=n_seeds,
        n_groups=n_groups,
    )


def interval_of_mean(sets: Sequence[SetOutcomes], *, confidence: float = 0.95) -> Proportion:
    """The interval of a mean accuracy (`x_SN` is correctness) in Wilson's form, inside [0, 1].

    The effective number of items is mean (1 - mean) / variance (see `effective_wilson`), with at
    least the variance that independent items and seeds would have, and as `doubtful` where few
    clusters show any.
    """
    found = mean_of_sets(sets, paired=False, confidence=confidence)
    mean, df = min(1.0, max(0.0, found.t.mean)), found.t.df
    binomial = sum(s.weight**2 * _binomial(s) for s in sets)
    v = found.t.standard_error**2
    if v <= binomial:
        v, df = binomial, max(1, found.clusters - len(sets))
    spread = mean * (1 - mean)
    effective = spread / v if spread > 0 else float(found.clusters)
    rarer = sum(groups_of_the_rarer(s.x_SN > 0, s.clusters_N) for s in sets)
    effective = doubtful(effective, found.clusters, rarer)
    return wilson(mean, effective, confidence=confidence, df=df)


def _binomial(s: SetOutcomes) -> float:
    share = float(s.x_SN.mean())
    return share * (1 - share) / s.x_SN.size


def _check(sets: Sequence[SetOutcomes]) -> None:
    if not sets or not np.isclose(sum(s.weight for s in sets), 1):
        raise ValueError("the weights of the data sets do not add up to 1")
    for s in sets:
        if s.x_SN.ndim != 2 or s.x_SN.size == 0 or s.clusters_N.shape != (s.x_SN.shape[1],):
            raise ValueError(f"outcomes {s.x_SN.shape} do not fit clusters {s.clusters_N.shape}")
        if len(s.x_SN) != len(sets[0].x_SN):
            raise ValueError("the data sets do not have the same seeds")
        if len(np.unique(s.clusters_N)) < 2:
            raise ValueError("one cluster says nothing about other clusters")


def _strata(sets: Sequence[SetOutcomes]) -> list[list[SetOutcomes]]:
    """Data sets that share clusters, together."""
    strata: list[tuple[set[int], list[SetOutcomes]]] = []
    for s in sets:
        ids, members = set(s.clusters_N.tolist()), [s]
        apart = []
        for other_ids, others in strata:
            if ids & other_ids:
                ids, members = ids | other_ids, [*others, *members]
            else:
                apart.append((other_ids, others))
        strata = [*apart, (ids, members)]
    return [members for _, members in strata]


def _table(stratum: Sequence[SetOutcomes]) -> FloatArray:
    """u_SG: what every cluster adds to the deviation of a seed's mean from the mean."""
    clusters_G = np.unique(np.concatenate([s.clusters_N for s in stratum]))
    u_SG = np.zeros((len(stratum[0].x_SN), len(clusters_G)))
    for s in stratum:
        index_N = np.searchsorted(clusters_G, s.clusters_N)
        share_SN = (s.x_SN - s.x_SN.mean()) * (s.weight / len(s.clusters_N))
        u_SG += [np.bincount(index_N, share_N, len(clusters_G)) for share_N in share_SN]
    return u_SG


def _spread(strata: Sequence[FloatArray], known: float) -> Spread:
    """Of tables u_SG with at least two seeds."""
    seed_S = np.sum([u_SG.sum(axis=1) for u_SG in strata], axis=0)
    n_seeds = len(seed_S)
    return Spread(
        Part(float(np.square(seed_S).sum()) / (n_seeds - 1) / n_seeds, n_seeds - 1),
        tuple(_of_clusters(u_SG) for u_SG in strata),
        tuple(_of_residual(u_SG) for u_SG in strata),
        known,
    )


def _of_clusters(u_SG: FloatArray) -> Part:
    n = u_SG.shape[1]
    mean_G = u_SG.mean(axis=0)
    return Part(n * float(np.square(mean_G).sum()) / (n - 1), n - 1)


def _of_residual(u_SG: FloatArray) -> Part:
    n_seeds, n = u_SG.shape
    rest_SG = u_SG - u_SG.mean(axis=1, keepdims=True) - u_SG.mean(axis=0)
    df = (n_seeds - 1) * (n - 1)
    return Part(n * float(np.square(rest_SG).sum()) / (n_seeds * df), df)


def _variance_of_equal(s: SetOutcomes, *, paired: bool) -> float:
    """Of the mean where no cluster differs from another, with clusters as items; else 0."""
    n = len(np.unique(s.clusters_N))
    if paired:
        agree = groups_agree(s.x_SN, s.clusters_N)
        return no_spread(float(s.x_SN.mean()), n).standard_error ** 2 if agree else 0.0
    if np.ptp(s.x_SN) > 0:
        return 0.0
    share = 2 / (n + 4)
    return share * (1 - share) / (n + 4)
