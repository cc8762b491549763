from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from harness.stats.power import smallest_detectable, t_power
from harness.stats.student import t_quantile


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("effect", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 28])
def test_power_is_that_of_statsmodels(seeds: int, effect: float, alpha: float) -> None:
    theirs = TTestPower().power(effect, seeds, alpha)
    if np.isnan(theirs):  # the far side of scipy's noncentral t; a one-sided test leaves it out
        theirs = TTestPower().power(effect, seeds, alpha / 2, alternative="larger")
    ours = t_power(effect * seeds**0.5, seeds - 1, alpha=alpha)
    assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    assert t_power(-effect * seeds**0.5, seeds - 1, alpha=alpha) == ours


@pytest.mark.parametrize("df", [1, 1.7, 4, 9.5, 40, 1e4, math.inf])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 84])
def test_power_rises_without_a_hole(df: float, alpha: float) -> None:
    power = np.array([t_power(nc, df, alpha=alpha) for nc in np.linspace(0, 40, 161)])
    assert power[0] == pytest.approx(alpha)
    assert np.all(np.diff(power) > -1e-6)


@pytest.mark.parametrize("df", [1, 1.3, 4, 9, 60, 1e5, math.inf])
@pytest.mark.parametrize("m", [1, 7, 84])
def test_smallest_detectable_is_found_with_that_power(df: float, m: int) -> None:
    smallest = smallest_detectable(0.01, df, m=m)
    nc, t = smallest / 0.01, stats.t.isf(0.025 / m, df)
    theirs = stats.norm.sf(t - nc) if math.isinf(df) else stats.nct.sf(t, df, nc)
    assert theirs == pytest.approx(0.8, abs=1e-4)


def test_power_by_simulation() -> None:
    rng = np.random.default_rng(0)
    shift = smallest_detectable(1 / 5**0.5, 4)  # five seeds, standard deviation 1
    p = stats.ttest_1samp(rng.normal(shift, 1, (4000, 5)), 0, axis=1).pvalue
    assert np.mean(p <= 0.05) == pytest.approx(0.8, abs=0.02)


def test_few_seeds_find_only_large_differences() -> None:
    # In standard deviations between seeds.
    assert smallest_detectable(1 / 3**0.5, 2) == pytest.approx(3.3, abs=0.05)
    assert smallest_detectable(1 / 5**0.5, 4) == pytest.approx(1.7, abs=0.05)


@pytest.mark.parametrize(("m", "t"), [(7, 7.8), (28, 11.2), (84, 14.9)])
def test_what_holm_asks_of_five_seeds(m: int, t: float) -> None:
    assert t_quantile(4, 1 - 0.01 / m) == pytest.approx(t, abs=0.06)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="no power"):
        smallest_detectable(-1, 4)
