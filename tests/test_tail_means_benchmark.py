"""Families of means over data sets: the variance of seeds is shared there too."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.tail_means import WORLDS, all_pairs, rates, studies_of
from harness.stats.moderated import fit_prior, share_seed_variance

BY_NAME = {world.name: world for world in WORLDS}
STUDIES = 60


def test_a_family_of_means_holds_its_ceiling_where_seeds_decide() -> None:
    """Of 1,000 studies 0.10 have a false pair by the pairs' own variances (docs/statistics.md)."""
    world = BY_NAME["5 data sets, shared seeds 0.6"]
    both = studies_of(world, 5, STUDIES)
    own, shared = (rates(np.array(p)) for p in zip(*both, strict=True))
    assert shared.family <= 0.10
    assert shared.family <= own.family
    assert shared.at_05 <= 0.08
    assert shared.at_01 <= 0.02


@pytest.mark.parametrize(
    "name", ["5 data sets, shared seeds 0.25", "2 data sets, shared seeds 0.6"]
)
def test_the_pairs_of_a_mean_by_hand(name: str) -> None:
    """Standard error, degrees of freedom and p from the parts of each pair, to 1e-9."""
    own = all_pairs(BY_NAME[name].draw(np.random.default_rng(5), 5))
    got = share_seed_variance(own)
    parts = [c.spread for c in own if c.spread is not None]
    assert len(parts) == len(own) == 28
    prior = fit_prior([s.seeds.variance for s in parts], 4)
    raised = 0
    for before, after, s in zip(own, got, parts, strict=True):
        b, e = (sum(p.variance for p in side) for side in (s.groups, s.residual))
        rest = sum(p.variance**2 / p.df for p in (*s.groups, *s.residual))
        assert before.se == pytest.approx((s.seeds.variance + b - e) ** 0.5, rel=1e-9)
        if s.seeds.variance >= prior.variance:
            assert after is before
            continue
        raised += 1
        df_a = 4 + prior.df
        a = (prior.df * prior.variance + 4 * s.seeds.variance) / df_a
        v = a + b - e
        df = v**2 / (a**2 / df_a + rest)
        assert (after.se, after.df) == pytest.approx((v**0.5, df), rel=1e-9)
        expected = 2 * stats.t.sf(abs(after.difference) / v**0.5, df)
        assert after.p == pytest.approx(expected, rel=1e-9)
    assert 0 < raised < 28
