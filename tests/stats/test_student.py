from __future__ import annotations

import math

import pytest
from scipy import stats

from harness.stats.student import t_quantile, t_test


@pytest.mark.parametrize("df", [1, 2.7, 4, 30, 1e6, math.inf])
@pytest.mark.parametrize("mean", [-0.2, 0.0, 0.003, 0.5])
def test_interval_and_p_are_those_of_scipy(mean: float, df: float) -> None:
    ours = t_test(mean, 0.02, df)
    low, high = stats.t.interval(0.95, df, loc=mean, scale=0.02)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9)
    assert ours.p == pytest.approx(2 * stats.t.sf(abs(mean) / 0.02, df), rel=1e-9)


def test_quantile_keeps_its_digits_far_out() -> None:
    assert t_quantile(4, 1 - 1e-12) == pytest.approx(stats.t.isf(0.5e-12, 4), rel=1e-3)


@pytest.mark.parametrize(("mean", "p"), [(0.0, 1.0), (0.1, 0.0), (-0.1, 0.0)])
def test_without_spread_the_interval_has_no_width(mean: float, p: float) -> None:
    t = t_test(mean, 0.0, 4)
    assert (t.low, t.high, t.p) == (mean, mean, p)


@pytest.mark.parametrize(("error", "df"), [(-0.1, 4), (math.nan, 4), (0.1, 0), (0.1, math.nan)])
def test_nonsense_is_refused(error: float, df: float) -> None:
    with pytest.raises(ValueError, match="no t test"):
        t_test(0.1, error, df)
