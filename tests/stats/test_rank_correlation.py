"""Rank correlation within columns: scipy as oracle, and what is not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from harness.stats.rank_correlation import ColumnRanks, _rho, _tau, kendall, spearman


def column(number: Any, outcome: Any, first: int = 0) -> ColumnRanks:
    x_K, y_K = np.asarray(number, dtype=float), np.asarray(outcome, dtype=float)
    return ColumnRanks(x_K, y_K, np.arange(first, first + len(x_K)))


def drawn(seed: int, n: int, *, ties: bool) -> ColumnRanks:
    rng = np.random.default_rng(seed)
    x_K = rng.normal(size=n)
    y_K = x_K + rng.normal(size=n)
    return column(x_K.round(0), y_K.round(0)) if ties else column(x_K, y_K)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [4, 9, 30])
def test_a_column_is_as_scipy_has_it(n: int, ties: bool) -> None:
    for seed in range(10):
        given = drawn(seed, n, ties=ties)
        with np.errstate(all="ignore"):
            rho = spearmanr(given.number_K, given.outcome_K).statistic
            tau = kendalltau(given.number_K, given.outcome_K).statistic
        for found, expected in ((spearman([given]), rho), (kendall([given]), tau)):
            assert found is not None
            assert found.mean == pytest.approx(expected, abs=1e-9)
            assert (found.columns, found.candidates) == (1, n)


def test_a_candidate_drawn_twice_counts_twice() -> None:
    given = drawn(3, 8, ties=True)
    times = np.random.default_rng(0).integers(0, 4, size=8)
    x, y = np.repeat(given.number_K, times), np.repeat(given.outcome_K, times)
    weights_BK = times[None].astype(float)
    assert _rho(given, weights_BK)[0] == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    assert _tau(given, weights_BK)[0] == pytest.approx(kendalltau(x, y).statistic, abs=1e-9)


def test_several_columns_are_averaged() -> None:
    up, down = column(range(6), range(6)), column(range(6), [0, 2, 1, 3, 5, 4])
    for statistic in (spearman, kendall):
        found, one = statistic([up, down]), statistic([down])
        assert found is not None
        assert one is not None
        assert found.mean == pytest.approx((1 + one.mean) / 2)
        assert (found.columns, found.candidates) == (2, 6)
        assert (found.least, found.greatest) == (one.mean, 1)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.mean <= found.high <= 1


def test_the_same_seed_gives_the_same_interval() -> None:
    given = [drawn(1, 12, ties=False)]
    assert spearman(given) == spearman(given)
    assert spearman(given) != spearman(given, seed=1)


@pytest.mark.parametrize(
    "columns",
    [[], [column([1, 2], [1, 2])], [column([1, 1, 1], [1, 2, 3])], [column([1, 2, 3], [5, 5, 5])]],
)
def test_no_correlation_of_too_few_or_equal_numbers(columns: list[ColumnRanks]) -> None:
    assert spearman(columns) is None
    assert kendall(columns) is None


def test_columns_without_a_correlation_are_left_out() -> None:
    flat, up = column([1, 1, 1, 1], [1, 2, 3, 4]), column([1, 2, 3, 4], [1, 2, 3, 4])
    found = spearman([flat, up])
    assert found is not None
    assert (found.mean, found.columns) == (1.0, 1)


def test_five_candidates_have_no_interval() -> None:
    found = spearman([column(range(5), range(5))])
    assert found is not None
    assert (found.mean, found.low, found.high) == (1.0, None, None)


def test_intervals_hold_the_true_correlation_about_as_often_as_they_say() -> None:
    """Of two normal numbers with correlation r, rho is (6 / pi) arcsin(r / 2): 92% and more of 150
    worlds, and without a correlation at most 4% have one above 0.
    """
    for n, r in ((9, 0.0), (9, 0.7), (20, 0.0), (20, 0.7)):
        true, covered, above = 6 / np.pi * np.arcsin(r / 2), 0, 0
        for seed in range(150):
            rng = np.random.default_rng(seed)
            x_K = rng.normal(size=n)
            given = column(x_K, r * x_K + np.sqrt(1 - r**2) * rng.normal(size=n))
            found = spearman([given])
            assert found is not None
            assert found.low is not None
            assert found.high is not None
            covered += found.low <= true <= found.high
            above += found.low > 0
        assert covered >= 0.92 * 150
        assert r > 0 or above <= 0.04 * 150
