"""The mean over a fixed list of data sets, recomputed by hand and simulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from harness.stats.clusters import clustered_t
from harness.stats.fixed_sets import SetOutcomes, interval_of_mean, mean_of_sets
from harness.stats.two_way import two_way

Array = np.ndarray[Any, Any]
RUNS = 600


def outcomes(
    rng: np.random.Generator, seeds: int, groups: tuple[int, ...]
) -> list[tuple[Array, Array]]:
    """Paired differences of data sets with groups of one to four items; clusters are apart."""
    found, first = [], 0
    for g in groups:
        groups_N = np.repeat(np.arange(g), rng.integers(1, 5, g))
        n = len(groups_N)
        z_SN = rng.normal(0.3, 1, (seeds, n)) + rng.normal(0, 1, g)[groups_N]
        z_SN += rng.normal(0, 0.4, (seeds, 1))
        found.append((np.clip(np.rint(z_SN), -1, 1), first + groups_N))
        first += g
    return found


def weighted(found: list[tuple[Array, Array]]) -> list[SetOutcomes]:
    return [SetOutcomes(x, clusters, 1 / len(found)) for x, clusters in found]


@pytest.mark.parametrize("seed", range(5))
def test_one_data_set_is_two_way_random_effects(seed: int) -> None:
    ((x_SN, groups_N),) = outcomes(np.random.default_rng(seed), 5, (20,))
    ours = mean_of_sets([SetOutcomes(x_SN, groups_N, 1.0)], paired=True)
    theirs = two_way(x_SN, groups_N)
    assert ours.t.mean == pytest.approx(theirs.t.mean, abs=1e-12)
    assert ours.t.standard_error == pytest.approx(theirs.t.standard_error, rel=1e-9)
    assert ours.t.df == pytest.approx(theirs.t.df, rel=1e-9)
    assert ours.share_seeds == pytest.approx(theirs.share_seeds, abs=1e-9)


def test_one_run_is_the_sum_of_clustered_variances() -> None:
    found = outcomes(np.random.default_rng(1), 1, (9, 30, 14))
    parts = [clustered_t(x_SN[0], groups_N) for x_SN, groups_N in found]
    v = sum(t.standard_error**2 for t in parts) / 9
    df = v**2 / sum((t.standard_error**2 / 9) ** 2 / t.df for t in parts)
    ours = mean_of_sets(weighted(found), paired=True).t
    assert ours.mean == pytest.approx(np.mean([t.mean for t in parts]))
    assert (ours.standard_error, ours.df) == pytest.approx((v**0.5, df), rel=1e-9)
    assert ours.p == pytest.approx(2 * stats.t.sf(abs(ours.mean) / v**0.5, df), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_variance_written_out(seed: int) -> None:
    """Seeds are shared by the data sets, so their part is that of the seeds' overall means."""
    seeds, found = 5, outcomes(np.random.default_rng(seed), 5, (8, 25, 12))
    m = len(found)
    mean_S = np.mean([x_SN.mean(axis=1) for x_SN, _ in found], axis=0)
    a = mean_S.var(ddof=1) / seeds
    parts = [(a, seeds - 1)]
    v = a
    for x_SN, groups_N in found:
        ids = np.unique(groups_N)
        g, n = len(ids), len(groups_N)
        d_SN = x_SN - x_SN.mean()
        t_SG = np.array([[d_SN[s, groups_N == i].sum() * g / n for i in ids] for s in range(seeds)])
        b = seeds * t_SG.mean(axis=0).var(ddof=1)
        rest = t_SG - t_SG.mean(axis=1)[:, None] - t_SG.mean(axis=0)
        e = (rest**2).sum() / ((seeds - 1) * (g - 1))
        v += (b - e) / (seeds * g) / m**2
        parts += [(b / (seeds * g) / m**2, g - 1)]
        parts += [(e / (seeds * g) / m**2, (seeds - 1) * (g - 1))]
    ours = mean_of_sets(weighted(found), paired=True).t
    assert v > 0
    assert ours.mean == pytest.approx(mean_S.mean())
    assert ours.standard_error == pytest.approx(v**0.5, rel=1e-9)
    assert ours.df == pytest.approx(v**2 / sum(p**2 / df for p, df in parts), rel=1e-9)


def test_a_data_set_that_is_there_twice_gives_no_second_evidence() -> None:
    ((x_SN, groups_N),) = outcomes(np.random.default_rng(3), 6, (30,))
    once = mean_of_sets([SetOutcomes(x_SN, groups_N, 1.0)], paired=True)
    twice = mean_of_sets([SetOutcomes(x_SN, groups_N, 0.5)] * 2, paired=True)
    assert twice.t.standard_error == pytest.approx(once.t.standard_error, rel=1e-9)
    assert twice.t.df == pytest.approx(once.t.df, rel=1e-9)
    assert twice.clusters == once.clusters == 30
    apart = [SetOutcomes(x_SN, groups_N + shift, 0.5) for shift in (0, 100)]
    assert mean_of_sets(apart, paired=True).t.standard_error < once.t.standard_error


def test_equal_outcomes_are_no_proof_of_equality() -> None:
    """A data set on which two rows agree has the variance of Bonett and Price, by groups."""
    nothing = SetOutcomes(np.zeros((5, 20)), np.arange(20), 0.5)
    other = SetOutcomes(np.zeros((5, 30)), 100 + np.arange(30), 0.5)
    t = mean_of_sets([nothing, other], paired=True).t
    v = 0.25 * (2 / 22) / 22 + 0.25 * (2 / 32) / 32
    assert t.standard_error == pytest.approx(v**0.5)
    assert (t.mean, t.p, t.df) == (0, 1, np.inf)
    assert t.low < 0 < t.high
    x_SN = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (5, 30))
    with_other = mean_of_sets([nothing, SetOutcomes(x_SN, 100 + np.arange(30), 0.5)], paired=True)
    alone = two_way(x_SN, np.arange(30)).t
    expected = 0.25 * alone.standard_error**2 + 0.25 * (2 / 22) / 22
    assert with_other.t.standard_error**2 == pytest.approx(expected)
    assert with_other.t.df > alone.df


def test_an_accuracy_that_is_always_right_has_a_width() -> None:
    sets = [SetOutcomes(np.ones((5, n)), first + np.arange(n), 0.5) for n, first in
            ((10, 0), (15, 50))]  # fmt: skip
    found = interval_of_mean(sets)
    assert found.mean == found.high == 1
    assert 0.6 < found.low < 0.95


def test_what_does_not_fit_is_refused() -> None:
    good = SetOutcomes(np.zeros((2, 3)), np.arange(3), 1.0)
    for sets, message in (
        ([], "add up"),
        ([SetOutcomes(good.x_SN, good.clusters_N, 0.4)], "add up"),
        ([SetOutcomes(good.x_SN, np.arange(4), 1.0)], "do not fit"),
        ([SetOutcomes(good.x_SN, np.zeros(3, dtype=np.int64), 1.0)], "one cluster"),
        (
            [SetOutcomes(np.zeros((s, 3)), 3 * s + np.arange(3), 0.5) for s in (2, 3)],
            "same seeds",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            mean_of_sets(sets, paired=True)


def drawn(
    rng: np.random.Generator, *, seeds: int, shared: float, level: float
) -> list[list[SetOutcomes]]:
    """Two equal methods on five data sets; `shared` is the effect of a seed on all data sets."""
    both: list[list[SetOutcomes]] = [[], []]
    first = 0
    of_seed_KS = rng.normal(0, shared, (2, seeds))
    for n, hard in ((60, -0.8), (150, 0.0), (90, 0.4), (200, 0.9), (40, 1.4)):
        item_N = rng.normal(0, 1, n)
        for sets, seed_S in zip(both, of_seed_KS, strict=True):
            z_SN = level + hard + item_N + rng.normal(0, 0.5, n) + rng.normal(0, 0.7, (seeds, n))
            z_SN += seed_S[:, None] + rng.normal(0, 0.2, (seeds, 1))
            sets.append(SetOutcomes((z_SN > 0).astype(float), first + np.arange(n), 0.2))
        first += n
    return both


def truth(shared: float, level: float) -> float:
    """The expected accuracy: the mean over data sets of P(z > 0)."""
    scale = (1 + 0.5**2 + 0.7**2 + 0.2**2 + shared**2) ** 0.5
    return float(np.mean(ndtr((level + np.array([-0.8, 0, 0.4, 0.9, 1.4])) / scale)))


@pytest.mark.parametrize(("seeds", "shared"), [(5, 0.0), (5, 0.25), (10, 0.25)])
def test_false_positives_and_coverage(seeds: int, shared: float) -> None:
    """Ceilings of 0.08 at 0.05 and 0.02 at 0.01, coverage of 93%: not refuted by 600 studies. With
    3,000 studies of each world: 0.055 to 0.058, 0.013 to 0.015, and 94 to 95%.
    """
    rng = np.random.default_rng(10 * seeds + int(100 * shared))
    p, covered = [], 0
    for _ in range(RUNS):
        a, b = drawn(rng, seeds=seeds, shared=shared, level=0.5)
        pairs = [
            SetOutcomes(x.x_SN - y.x_SN, x.clusters_N, x.weight) for x, y in zip(a, b, strict=True)
        ]
        p.append(mean_of_sets(pairs, paired=True).t.p)
        found = interval_of_mean(a)
        covered += found.low <= truth(shared, 0.5) <= found.high
    for level, ceiling in ((0.05, 0.08), (0.01, 0.02)):
        false = int((np.array(p) <= level).sum())
        assert stats.binomtest(false, RUNS, ceiling, alternative="greater").pvalue > 0.01
    assert (np.array(p) <= 0.05).mean() >= 0.005, "the test would find nothing"
    assert stats.binomtest(covered, RUNS, 0.93, alternative="less").pvalue > 0.01
