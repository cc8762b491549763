from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from harness.stats.proportion import (
    clustered_wilson,
    doubtful,
    effective_wilson,
    groups_of_the_rarer,
    wilson,
)
from harness.stats.student import t_test

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@QUICK
@given(st.integers(1, 500), st.data())
def test_wilson_is_that_of_statsmodels(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    ours = wilson(k / n, n)
    theirs = proportion_confint(k, n, method="wilson")
    assert (ours.low, ours.high) == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    assert 0 <= ours.low <= ours.mean <= ours.high <= 1


def test_ends_are_included() -> None:
    assert wilson(0, 30).low == 0
    assert wilson(1, 30).high == 1
    assert wilson(1, 30).low == pytest.approx(30 / (30 + 1.959964**2))


def outcomes(seed: int, n: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < 0.7


@QUICK
@given(st.integers(0, 10_000))
def test_copies_of_an_item_add_nothing(seed: int) -> None:
    x_N = outcomes(seed)
    once = clustered_wilson(x_N, np.arange(80))
    twice = clustered_wilson(np.repeat(x_N, 2), np.repeat(np.arange(80), 2))
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), rel=1e-9)
    plain = wilson(once.mean, 80)
    assert once.high - once.low == pytest.approx(plain.high - plain.low, rel=0.03)


def test_clusters_widen_the_interval() -> None:
    x_N, groups_N = np.repeat(outcomes(5, 20), 10), np.repeat(np.arange(20), 10)
    clustered, plain = clustered_wilson(x_N, groups_N), wilson(float(x_N.mean()), 200)
    assert clustered.high - clustered.low > 2.5 * (plain.high - plain.low)


def test_groups_that_agree_too_well_make_no_items() -> None:
    """One right and one wrong in every pair: no spread between groups at all."""
    x_N = np.tile([True, False], 30)
    got = clustered_wilson(x_N, np.repeat(np.arange(30), 2))
    expected = wilson(0.5, 60, df=29)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), rel=1e-4)


@pytest.mark.parametrize("right", [True, False])
def test_all_alike_counts_the_groups(right: bool) -> None:
    got = clustered_wilson(np.full(40, right), np.repeat(np.arange(8), 5))
    expected = wilson(float(right), 8, df=7)
    assert (got.low, got.high) == (expected.low, expected.high)
    assert got.high - got.low > 0.3


def test_in_the_middle_it_is_nearly_the_t_interval() -> None:
    t = t_test(0.5, 0.01, 6.5)
    got = effective_wilson(t, outcomes=10**6, groups=100, rarer=100)
    assert (got.low, got.high) == pytest.approx((t.low, t.high), abs=1e-4)


def test_the_floor_of_the_variance_brings_its_own_degrees_of_freedom() -> None:
    """A test with hardly any variance and one df: the variance used is not that of the test."""
    t = t_test(0.011, 0.0015, 1)
    got = effective_wilson(t, outcomes=1000, groups=100, rarer=100)
    expected = wilson(0.011, 1000, df=99)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    assert got.high < 0.025
    above = effective_wilson(t_test(0.011, 0.005, 4), outcomes=1000, groups=100, rarer=100)
    expected = wilson(0.011, 0.011 * 0.989 / 0.005**2, df=4)
    assert (above.low, above.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("share", "n"), [(-0.1, 5), (1.1, 5), (0.5, 0), (float("nan"), 5)])
def test_nonsense_is_refused(share: float, n: float) -> None:
    with pytest.raises(ValueError, match="no interval"):
        wilson(share, n)


def test_one_group_is_refused() -> None:
    with pytest.raises(ValueError, match="one group"):
        clustered_wilson(outcomes(0, 4), np.zeros(4, dtype=int))


def test_few_groups_with_errors_are_hardly_evidence_of_their_variance() -> None:
    """Ten groups of 25 in five seeds, one error: by its own variance 1,250 items, but no error
    would have counted as ten.
    """
    correct_SN = np.ones((5, 250), dtype=bool)
    correct_SN[0, 0] = False
    groups_N = np.arange(250) // 25
    assert groups_of_the_rarer(correct_SN, groups_N) == 1
    assert doubtful(1250, 10, 0) == pytest.approx(10)
    assert doubtful(1250, 10, 1) == pytest.approx(1 / (0.6 / 10 + 0.4 / 1250))
    assert doubtful(1250, 10, 30) == pytest.approx(1250, rel=1e-4)
    assert doubtful(4, 10, 0) == 4, "fewer items than groups stay so"


def test_the_effective_number_of_groups_with_errors() -> None:
    groups_N = np.repeat([7, 3, 5, 9], 3)
    wrong = np.array([[1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]], dtype=bool)
    assert groups_of_the_rarer(~wrong, groups_N) == pytest.approx(3)
    assert groups_of_the_rarer(wrong, groups_N) == pytest.approx(3)
    uneven = np.array([[1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]], dtype=bool)
    assert groups_of_the_rarer(~uneven, groups_N) == pytest.approx(16 / 10)
    assert groups_of_the_rarer(np.ones((2, 12), dtype=bool), groups_N) == 0
