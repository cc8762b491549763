from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from harness.stats.corrected_t import corrected_t

D_J = np.array([0.02, 0.05, -0.01, 0.03, 0.04])


def test_hand_computed() -> None:
    # Mean 0.026; squares of deviations: 36 + 576 + 1296 + 16 + 196 = 2120 millionths, over 4.
    error = math.sqrt((1 / 5 + 1 / 9) * 2120e-6 / 4)
    got = corrected_t(D_J, 1 / 9)
    assert got.t is not None
    assert (got.mean, got.splits, got.t.df) == (pytest.approx(0.026), 5, 4)
    assert got.t.standard_error == pytest.approx(error)
    assert got.t.p == pytest.approx(2 * stats.t.sf(0.026 / error, 4))


def test_without_overlap_it_would_be_the_paired_t() -> None:
    got = corrected_t(D_J, 1e-12)
    assert got.t is not None
    assert got.t.p == pytest.approx(stats.ttest_1samp(D_J, 0).pvalue)


@pytest.mark.parametrize("splits", [1, 2, 3])
def test_three_splits_are_described_only(splits: int) -> None:
    got = corrected_t(D_J[:splits], 1 / 9)
    assert got.mean == pytest.approx(D_J[:splits].mean())
    assert got.t is None


@pytest.mark.parametrize("value", [0.0, 0.1, 0.1 + 0.2])
def test_equal_splits_have_no_spread_and_no_test(value: float) -> None:
    got = corrected_t(np.full(6, value), 0.5)
    assert (got.mean, got.splits, got.t) == (pytest.approx(value), 6, None)


def test_holds_its_level_where_the_paired_t_does_not() -> None:
    """Equal methods on random halves of one pool: every split sees the same items again."""
    rng = np.random.default_rng(0)
    corrected = naive = 0
    for _ in range(600):
        d_N = rng.normal(size=120)  # the test half decides; n_test / n_train = 1
        halves = rng.permuted(np.tile(np.arange(120), (10, 1)), axis=1)[:, :60]
        d_J = d_N[halves].mean(axis=1)
        t = corrected_t(d_J, 1.0).t
        assert t is not None
        corrected += t.p <= 0.05
        naive += stats.ttest_1samp(d_J, 0).pvalue <= 0.05
    assert corrected / 600 <= 0.08
    assert naive / 600 > 0.3


@pytest.mark.parametrize("ratio", [0, -1, math.inf, math.nan])
def test_nonsense_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="n_test/n_train"):
        corrected_t(D_J, ratio)
    with pytest.raises(ValueError, match="n_test/n_train"):
        corrected_t(np.array([]), 1.0)
