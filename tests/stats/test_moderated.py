"""The variance of seeds, shared by the pairs of a column."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import polygamma

from harness.core.outcomes import Contrast, Outcomes, Part
from harness.stats.family import adjust
from harness.stats.moderated import (
    LEAST_PAIRS,
    Prior,
    fit_prior,
    inverse_trigamma,
    moderate,
    share_seed_variance,
    shares_seed_variance,
)
from harness.stats.pairwise import contrast
from harness.stats.two_way import two_way

if TYPE_CHECKING:
    from harness.core.samples import BoolArray

ITEMS = 60


def rows(k: int, stream: int = 0, seeds: int = 5) -> list[BoolArray]:
    rng = np.random.default_rng(stream)
    shared_N = rng.normal(0.5, 1, ITEMS)
    return [
        shared_N + rng.normal(0, 0.4, (seeds, 1)) + rng.normal(0, 1, (seeds, ITEMS)) > 0
        for _ in range(k)
    ]


def column(tables: list[BoolArray]) -> list[Contrast]:
    seeds = tuple(range(len(tables[0])))
    outcomes = [Outcomes(x_SN, seeds, np.arange(ITEMS)) for x_SN in tables]
    return [
        contrast(a, b, name_a=str(i), name_b=str(j))
        for (i, a), (j, b) in combinations(enumerate(outcomes), 2)
    ]


@pytest.mark.parametrize("y", [1e-6, 0.1, 1.0, polygamma(1, 0.3), 1e4])
def test_trigamma_is_inverted(y: float) -> None:
    assert float(polygamma(1, inverse_trigamma(y))) == pytest.approx(y, rel=1e-9)
    oracle = optimize.brentq(lambda x: float(polygamma(1, x)) - y, 1e-3, 1e7, xtol=1e-14)
    assert inverse_trigamma(y) == pytest.approx(oracle, rel=1e-9)


def test_the_prior_of_smyth_with_the_median_as_its_place() -> None:
    """Moments of the logarithms, solved by bisection; and the cap where they scatter too little."""
    values = [1.0, 20.0, 0.05, 3.0, 0.4, 9.0, 0.1]
    prior = fit_prior(values, 4)
    excess = np.log(values).var(ddof=1) - polygamma(1, 2)
    half = optimize.brentq(lambda x: float(polygamma(1, x)) - excess, 1e-3, 1e7, xtol=1e-14)
    assert prior.df == pytest.approx(2 * half, rel=1e-9)
    assert prior.df < 8
    assert prior.variance == pytest.approx(1.0 / (stats.chi2.ppf(0.5, 4) / 4), rel=1e-9)
    assert fit_prior([1.0, 1.1, 0.9, 1.05], 4).df == 8
    assert fit_prior([0.0, 1.0, 0.0], 4) == Prior(0, 0)
    assert fit_prior([*values, 1e-33, 1e-31], 4) == prior, "rounding is no variance"


def test_a_variance_is_raised_and_never_lowered() -> None:
    got = moderate(Part(1.0, 4), Prior(4.0, 8.0))
    assert (got.variance, got.df) == pytest.approx(((8 * 4 + 4 * 1) / 12, 12))
    high = Part(5.0, 4)
    assert moderate(high, Prior(4.0, 8.0)) is high


def test_a_column_by_hand() -> None:
    """All of it again from the tables: prior, standard error, interval and p to 1e-9."""
    tables = rows(5)
    own = column(tables)
    got = share_seed_variance(own)
    squares = [
        two_way(a_SN * 1.0 - b_SN, np.arange(ITEMS)).squares
        for a_SN, b_SN in combinations(tables, 2)
    ]
    prior = fit_prior([s.seeds for s in squares], 4)
    raised = 0
    for before, after, s in zip(own, got, squares, strict=True):
        if s.seeds >= prior.variance:
            assert after is before
            continue
        raised += 1
        a = (prior.df * prior.variance + 4 * s.seeds) / (prior.df + 4)
        v = a + s.groups - s.residual
        df = v**2 / (a**2 / (4 + prior.df) + s.groups**2 / 59 + s.residual**2 / 236)
        error = (v / (5 * ITEMS)) ** 0.5
        assert (after.se, after.df) == pytest.approx((error, df), rel=1e-9)
        assert after.p == pytest.approx(
            2 * stats.t.sf(abs(before.difference) / error, df), rel=1e-9
        )
        low, high = stats.t.interval(0.95, df, before.difference, error)
        assert (after.low, after.high) == pytest.approx((low, high), rel=1e-9)
        assert after.share_seeds == pytest.approx(1 - max(0.0, s.groups - s.residual) / v)
        assert after.smallest_detectable is not None
        assert (after.a, after.b, after.difference) == (before.a, before.b, before.difference)
    assert 0 < raised < len(own)


def test_a_second_call_changes_nothing() -> None:
    once = share_seed_variance(column(rows(6)))
    assert share_seed_variance(once) == once


def test_few_pairs_stay_as_they_are() -> None:
    """Four rows have six pairs."""
    own = column(rows(4))
    assert len(own) < LEAST_PAIRS
    assert share_seed_variance(own) == own


@pytest.mark.parametrize("seeds", [1, 4])
def test_what_has_no_p_stays_as_it_is(seeds: int) -> None:
    own = column(rows(6, seeds=seeds))
    assert share_seed_variance(own) == own


def test_only_pairs_alike_share() -> None:
    """Pairs with other seeds are no part of it, nor are rows that are equal or deterministic."""
    five, eight = column(rows(5)), column(rows(5, 1, seeds=8))
    equal = column([rows(1)[0]] * 2)
    untrained = [
        contrast(*(Outcomes(x[:1], (None,), np.arange(ITEMS)) for x in rows(2, 3)),
                 name_a="x", name_b="y")
    ]  # fmt: skip
    got = share_seed_variance([*five, *equal, *eight, *untrained])
    assert got[:10] == share_seed_variance(five)
    assert got[10:11] == equal
    assert got[11:21] == share_seed_variance(eight)
    assert got[21:] == untrained


def test_a_column_of_rows_that_are_equal_in_every_seed() -> None:
    """No variance of seeds anywhere: nothing to share, and never NaN."""
    rng = np.random.default_rng(4)
    own = column([np.tile(rng.random(ITEMS) < 0.5, (5, 1)) for _ in range(6)])
    assert share_seed_variance(own) == own


def test_an_adjusted_family_is_refused() -> None:
    with pytest.raises(ValueError, match="before a family is adjusted"):
        share_seed_variance(adjust(column(rows(5))))


def test_whether_pairs_share_is_known_before_and_after_the_family_is_adjusted() -> None:
    ten, six = column(rows(5)), column(rows(4))
    shared = share_seed_variance(ten)
    assert any(x.se != y.se for x, y in zip(ten, shared, strict=True))
    assert shares_seed_variance(ten)
    assert shares_seed_variance(adjust(shared))
    assert not shares_seed_variance(adjust(six))
    assert not shares_seed_variance([])
