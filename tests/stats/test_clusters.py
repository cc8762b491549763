from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from harness.stats.clusters import clustered_t, count_groups, group_deviations, is_grouped

RNG = np.random.default_rng(3)
GROUPS_N = np.repeat(np.arange(12), RNG.integers(1, 9, 12))
D_N = RNG.integers(-1, 2, len(GROUPS_N)).astype(float)


def test_hand_computed_deviations() -> None:
    # Mean 1/2; groups 7 (items 0 and 3) and 2 (item 1) and 5 (item 2), in the order 2, 5, 7.
    t_SG = group_deviations(np.array([[1.0, 0.0, 1.0, 0.0]]), np.array([7, 2, 5, 7]))
    assert t_SG == pytest.approx(np.array([[-0.5, 0.5, 0.0]]) * 3 / 4)


def test_grouped_or_not() -> None:
    assert not is_grouped(np.array([4, 1, 9]))
    assert is_grouped(np.array([4, 1, 4]))
    assert count_groups(np.array([4, 1, 4])) == 2


def test_standard_error_is_the_cluster_robust_one_of_statsmodels() -> None:
    fit = sm.OLS(D_N, np.ones_like(D_N)).fit(
        cov_type="cluster", cov_kwds={"groups": GROUPS_N}, use_t=True
    )
    ours = clustered_t(D_N, GROUPS_N)
    assert ours.df == 11
    assert ours.mean == pytest.approx(fit.params[0])
    assert ours.standard_error == pytest.approx(fit.bse[0], rel=1e-9)
    assert ours.p == pytest.approx(fit.pvalues[0], rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx(tuple(fit.conf_int()[0]), rel=1e-9)


def test_one_item_a_group_is_the_ordinary_t_test() -> None:
    ours = clustered_t(D_N, np.arange(len(D_N)))
    theirs = stats.ttest_1samp(D_N, 0)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.df == theirs.df


def test_copies_of_an_item_add_nothing() -> None:
    once = clustered_t(D_N, np.arange(len(D_N)))
    thrice = clustered_t(np.repeat(D_N, 3), np.repeat(np.arange(len(D_N)), 3))
    assert thrice.standard_error == pytest.approx(once.standard_error, rel=1e-12)
    blind = clustered_t(np.repeat(D_N, 3), np.arange(3 * len(D_N)))
    assert blind.standard_error < 0.6 * once.standard_error


def test_what_cannot_be_tested_is_refused() -> None:
    with pytest.raises(ValueError, match="one group"):
        clustered_t(np.array([1.0, 0.0]), np.array([3, 3]))
    with pytest.raises(ValueError, match="do not fit"):
        clustered_t(np.array([1.0, 0.0]), np.array([3]))
    with pytest.raises(ValueError, match="do not fit"):
        clustered_t(np.array([]), np.array([]))
