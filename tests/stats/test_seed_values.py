"""Accuracies by seed without items: paired t, or Welch's test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.core.outcomes import Contrast
from harness.stats.seed_values import FIXED_ITEMS, PAIRED, WELCH, contrast_of_values, welch

LIKE = Contrast("a", "b", 0, None, None, None, None, 0, 10, 0, "E1", "none")
A: dict[int | None, float] = {0: 0.5, 1: 0.55, 2: 0.6, 3: 0.52, 4: 0.58}
B: dict[int | None, float] = {0: 0.45, 1: 0.5, 2: 0.5, 3: 0.5, 4: 0.5}


def test_common_seeds_are_paired() -> None:
    found = contrast_of_values(A, B, LIKE, same_items=True)
    theirs = stats.ttest_rel(list(A.values()), list(B.values()))
    ends = theirs.confidence_interval()
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert (found.test, found.estimand, found.seeds, found.note) == (PAIRED, "E1", 5, FIXED_ITEMS)


@pytest.mark.parametrize("same_items", [True, False])
def test_without_common_seeds_or_items_it_is_welch(same_items: bool) -> None:
    shifted: dict[int | None, float] = {10 + i: value for i, value in enumerate(B.values())}
    b = shifted if same_items else B
    found = contrast_of_values(A, b, LIKE, same_items=same_items)
    theirs = stats.ttest_ind(list(A.values()), list(B.values()), equal_var=False)
    ends = theirs.confidence_interval()
    assert (found.p, found.df) == pytest.approx((theirs.pvalue, theirs.df))
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert found.test == WELCH
    assert "unpaired" in found.note


def test_a_deterministic_row_meets_every_seed() -> None:
    found = contrast_of_values(A, {None: 0.5}, LIKE, same_items=True)
    assert found.p == pytest.approx(stats.ttest_1samp(list(A.values()), 0.5).pvalue)
    turned = contrast_of_values({None: 0.5}, A, LIKE, same_items=True)
    assert turned.difference == pytest.approx(-found.difference)


def test_too_little_is_descriptive() -> None:
    few = contrast_of_values({0: 0.5, 1: 0.6}, {0: 0.4, 1: 0.45}, LIKE, same_items=True)
    assert (few.p, few.low is None) == (None, False)
    one = contrast_of_values({0: 0.5}, {0: 0.4}, LIKE, same_items=True)
    assert (one.p, one.low, one.test) == (None, None, "none")
    same = contrast_of_values(A, A, LIKE, same_items=True)
    assert (same.p, same.low, same.difference) == (None, None, 0)
    lone = contrast_of_values({0: 0.5}, {1: 0.4}, LIKE, same_items=True)
    assert (lone.low, lone.test) == (None, "none")


def test_values_without_spread() -> None:
    t = welch(np.array([0.5, 0.5]), np.array([0.4, 0.4]))
    assert (t.p, t.df) == (0, 2)
    with pytest.raises(ValueError, match="two values"):
        welch(np.ones(1), np.ones(3))
