"""How many seeds and items: against statsmodels, and against simulated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from harness.stats.planning import (
    Components,
    components,
    floor_of_seeds,
    groups_needed,
    planned_power,
    projected,
    seeds_needed,
)
from harness.stats.two_way import two_way


@pytest.mark.parametrize(("effect", "alpha"), [(1.0, 0.05), (0.5, 0.05), (1.0, 0.05 / 28)])
def test_where_seeds_decide_it_is_a_paired_t_test(effect: float, alpha: float) -> None:
    """80% at a standardised difference of 1 takes 10 seeds."""
    c = Components(seeds=1.0, groups=0.0, residual=0.0, n_seeds=5, n_groups=100)
    theirs = math.ceil(TTestPower().solve_power(effect, power=0.8, alpha=alpha))
    assert seeds_needed(c, effect, alpha=alpha, least=2) == theirs
    if (effect, alpha) == (1.0, 0.05):
        assert theirs == 10


def test_where_items_decide_no_number_of_seeds_helps() -> None:
    c = Components(seeds=0.0, groups=1.0, residual=0.5, n_seeds=5, n_groups=100)
    floor = floor_of_seeds(c, alpha=0.05)
    theirs = TTestPower().solve_power(nobs=100, power=0.8, alpha=0.05)
    assert floor == pytest.approx(theirs, rel=1e-3)
    assert seeds_needed(c, 0.99 * floor, alpha=0.05) is None
    needed = seeds_needed(c, 1.01 * floor, alpha=0.05)
    assert needed is not None
    assert needed > 5
    assert groups_needed(c, floor, alpha=0.05) is not None
    assert groups_needed(Components(1.0, 0.0, 0.0, 5, 100), 0.5, alpha=0.05) is None


def test_deterministic_rows_need_items_alone() -> None:
    d_N = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 60)
    c = components(d_N[None, :], np.arange(60), random_seeds=False)
    assert c.groups == pytest.approx(d_N.var(ddof=1))
    assert seeds_needed(c, 0.5, alpha=0.05) is None
    theirs = math.ceil(TTestPower().solve_power(0.1 / d_N.std(ddof=1), power=0.8, alpha=0.05))
    assert groups_needed(c, 0.1, alpha=0.05) == theirs


def test_components_are_those_of_the_analysis_of_variance() -> None:
    x_SN = np.random.default_rng(1).normal(size=(6, 40)) + np.arange(6)[:, None]
    c = components(x_SN, np.arange(40))
    rest = x_SN - x_SN.mean(axis=1)[:, None] - x_SN.mean(axis=0) + x_SN.mean()
    e = (rest**2).sum() / (5 * 39)
    assert c.residual == pytest.approx(e)
    assert c.seeds == pytest.approx((40 * x_SN.mean(axis=1).var(ddof=1) - e) / 40)
    assert c.groups == pytest.approx(max(0.0, (6 * x_SN.mean(axis=0).var(ddof=1) - e) / 6))


def test_today_is_projected_as_the_test_found_it() -> None:
    """Without negative components error and degrees of freedom are those of two_way."""
    rng = np.random.default_rng(2)
    x_SN = rng.normal(size=(5, 50)) + rng.normal(size=(5, 1)) + rng.normal(size=50)
    t = two_way(x_SN, np.arange(50)).t
    c = components(x_SN, np.arange(50))
    assert projected(c, 5, 50) == pytest.approx((t.standard_error, t.df))


@pytest.mark.parametrize(
    "c",
    [
        Components(0.0, 1.0, 0.3, 5, 100),
        Components(0.01, 0.5, 0.5, 5, 100),
        Components(0.05, 0.2, 0.5, 5, 100),
    ],
    ids=["items", "both", "seeds"],
)
def test_the_planned_number_of_seeds_has_the_planned_power(c: Components) -> None:
    """500 studies with as many seeds as were planned for 80%, drawn with these components."""
    target = 1.15 * floor_of_seeds(c, alpha=0.05)
    seeds = seeds_needed(c, target, alpha=0.05)
    assert seeds is not None
    rng, found = np.random.default_rng(3), 0
    for _ in range(500):
        x_SN = target + rng.normal(0, c.seeds**0.5, (seeds, 1))
        x_SN = x_SN + rng.normal(0, c.groups**0.5, c.n_groups)
        x_SN = x_SN + rng.normal(0, c.residual**0.5, (seeds, c.n_groups))
        found += two_way(x_SN, np.arange(c.n_groups)).t.p <= 0.05
    planned = planned_power(c, target, seeds, c.n_groups, alpha=0.05)
    assert planned >= 0.8
    assert found / 500 == pytest.approx(planned, abs=0.06)
    if seeds > 5:
        assert planned_power(c, target, seeds - 1, c.n_groups, alpha=0.05) < 0.8


def test_no_spread_finds_everything_and_nothing() -> None:
    c = Components(0.0, 0.0, 0.0, 5, 10)
    assert projected(c, 5, 10) == (0.0, math.inf)
    assert planned_power(c, 0.1, 5, 10, alpha=0.05) == 1
    assert planned_power(c, 0.0, 5, 10, alpha=0.05) == 0.05


def test_one_group_is_refused() -> None:
    with pytest.raises(ValueError, match="one group"):
        components(np.ones((1, 3)), np.zeros(3, dtype=np.int64), random_seeds=False)
