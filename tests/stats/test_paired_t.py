from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.stats.paired_t import PairedT, paired_t, sign_flip_p

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_against_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    a_S, b_S = rng.random(n), rng.random(n)
    ours, theirs = paired_t(a_S - b_S).t, stats.ttest_rel(a_S, b_S)
    assert ours is not None
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    interval = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high))


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
    assert got.t is not None
    assert got.p_sign_flip == pytest.approx(got.t.p, abs=0.02)
    assert paired_t(np.tile(d_S, 2)).p_sign_flip is None


def test_no_spread() -> None:
    """Five equal differences are not certain: a t test would say p = 0, flips say 1/16."""
    assert paired_t(np.zeros(5)) == PairedT(None, 1.0)
    assert paired_t(np.full(5, 0.1)) == PairedT(None, 2 / 2**5)
    last_digits_S = np.array([0.3, 0.1 + 0.2, 0.3, 0.3, 0.3])
    assert paired_t(last_digits_S).t is None


def test_one_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        paired_t(np.array([0.1]))
