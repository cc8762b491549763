from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.paired_t import paired_t, sign_flip_p

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_against_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    a_S, b_S = rng.random(n), rng.random(n)
    ours, theirs = paired_t(a_S - b_S), stats.ttest_rel(a_S, b_S)
    assert ours.t.p == pytest.approx(theirs.pvalue, rel=1e-9)
    interval = theirs.confidence_interval()
    assert (ours.t.low, ours.t.high) == pytest.approx((interval.low, interval.high))


@QUICK
@given(st.integers(0, 10_000), st.integers(2, 9))
def test_sign_flips_are_those_of_scipy(seed: int, n: int) -> None:
    # Multiples of 1/7 tie often, and their sums differ in the last digit.
    d_S = np.random.default_rng(seed).integers(-3, 4, n) / 7
    theirs = stats.permutation_test(
        (d_S, np.zeros(n)),
        lambda x, y, axis: np.round(np.abs((x - y).sum(axis=axis)), 9),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    assert sign_flip_p(d_S) == pytest.approx(theirs.pvalue)


def test_smallest_sign_flip_p() -> None:
    assert sign_flip_p(np.array([0.1, 0.2, 0.3, 0.1, 0.1])) == 2 / 2**5


def test_both_agree_on_many_seeds() -> None:
    d_S = np.random.default_rng(1).normal(0.4, 1, 18)
    got = paired_t(d_S)
    assert got.p_sign_flip == pytest.approx(got.t.p, abs=0.02)
    assert paired_t(np.tile(d_S, 2)).p_sign_flip is None


def test_no_spread() -> None:
    assert paired_t(np.zeros(5)).t.p == 1
    assert paired_t(np.zeros(5)).p_sign_flip == 1
    equal = paired_t(np.full(6, 0.1))
    assert (equal.t.standard_error, equal.t.p, equal.p_sign_flip) == (0, 0, 2 / 2**6)


def test_one_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        paired_t(np.array([0.1]))
