from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from harness.stats.profiles import behind_best, cliques, improvement


def test_improvement_is_the_mean_of_mann_whitney() -> None:
    rng = np.random.default_rng(0)
    a = [rng.integers(0, 6, size) / 7 for size in (5, 4, 7)]
    b = [rng.integers(0, 6, size) / 7 for size in (5, 6, 3)]
    theirs = [
        stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in zip(a, b, strict=True)
    ]
    found = improvement(a, b, new_datasets=True)
    assert found.mean == pytest.approx(np.mean(theirs))
    assert (found.datasets, found.interval) == (3, None)
    assert improvement(b, a, new_datasets=False).mean == pytest.approx(1 - found.mean)


def test_its_interval_counts_data_sets() -> None:
    """Six data sets with one outcome each: Wilson's interval with five degrees of freedom."""
    a = [np.array([1.0])] * 6
    found = improvement(a, [np.array([0.5])] * 5 + [np.array([2.0])], new_datasets=True)
    t, p = stats.t.ppf(0.975, 5), 5 / 6
    centre, half = p + t**2 / 12, t * (p * (1 - p) / 6 + t**2 / 144) ** 0.5
    assert found.interval is not None
    ends = [(centre - half) / (1 + t**2 / 6), (centre + half) / (1 + t**2 / 6)]
    assert [found.interval.low, found.interval.high] == pytest.approx(ends)
    assert improvement(a, a, new_datasets=False).interval is None


def test_the_interval_covers_the_chance_over_new_data_sets() -> None:
    """Data sets on which a is always ahead or never, or by chance: 93% or more."""
    rng = np.random.default_rng(1)
    for spread in (0.5, 20.0):  # of the chances of data sets: all near 0 or 1, or near 1/2
        hits = 0
        for _ in range(400):
            chance_M = rng.beta(spread, spread, 11)
            a = [(rng.random(3) < c).astype(float) * 2 for c in chance_M]
            found = improvement(a, [np.ones(3)] * 11, new_datasets=True)
            assert found.interval is not None
            hits += found.interval.low <= 0.5 <= found.interval.high
        assert hits / 400 >= 0.93


def test_rows_behind_the_best() -> None:
    scores_MK = np.array([[0.5, 0.6, 0.1 + 0.5], [0.9, 0.7, 0.8]])
    assert behind_best(scores_MK).tolist() == [[0.1, 0, 0], [0, 0.2, 0.1]]


@pytest.mark.parametrize("seed", range(20))
def test_cliques_are_the_largest_sets_by_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 9))
    separable = {frozenset(p) for p in combinations(range(k), 2) if rng.random() < 0.5}
    tied = [
        set(c)
        for size in range(2, k + 1)
        for c in combinations(range(k), size)
        if not any(frozenset(pair) in separable for pair in combinations(c, 2))
    ]
    largest = [c for c in tied if not any(c < other for other in tied)]
    assert cliques(k, separable) == sorted(tuple(sorted(c)) for c in largest)


def test_without_runs_there_is_nothing() -> None:
    with pytest.raises(ValueError, match="runs of the same"):
        improvement([np.ones(2)], [], new_datasets=True)
