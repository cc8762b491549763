from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from harness.stats.holm import holm

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=100)
p_values = st.floats(0, 1, allow_subnormal=False)


@pytest.mark.parametrize("seed", range(12))
def test_against_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Rounded, so that some are equal, zero or one.
    p = np.round(rng.random(rng.integers(1, 20)) ** 3, 2).tolist()
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist(), rel=1e-12)


def test_hand_computed() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@QUICK
@given(st.lists(st.none() | p_values, max_size=12))
def test_none_stays_and_does_not_count(p: list[float | None]) -> None:
    adjusted = holm(p)
    assert [x is None for x in adjusted] == [x is None for x in p]
    assert [x for x in adjusted if x is not None] == holm([x for x in p if x is not None])


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_nonsense_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="is no p"):
        holm([0.5, p])
