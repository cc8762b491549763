"""Two rows on several data sets: the fixed list, and data sets as the sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.core.outcomes import Contrast, Outcomes
from harness.stats.across import across, t_over_datasets
from harness.stats.over_sets import (
    CORRECTED,
    FIXED,
    WILCOXON,
    WeightedSet,
    fixed_contrast,
    fixed_interval,
    gated,
    new_contrast,
)

LIKE = Contrast("a", "b", 0, None, None, None, None, 5, 10, 10, "E2", "none")


def sets(
    seeds: tuple[int | None, ...] = (0, 1, 2, 3, 4), *, rows: int = 2, n: int = 40, groups: int = 20
) -> list[WeightedSet]:
    """Three data sets of `rows` rows, of which the first is ahead by about ten points."""
    rng = np.random.default_rng(0)
    out = []
    for i in range(3):
        groups_N = 1000 * i + np.arange(n) % groups
        outcomes = tuple(
            Outcomes(rng.random((len(seeds), n)) < 0.6 - 0.1 * row, seeds, groups_N)
            for row in range(rows)
        )
        out.append(WeightedSet(outcomes, 1 / 3))
    return out


def test_the_difference_is_the_mean_of_the_data_sets() -> None:
    found = fixed_contrast(sets(), name_a="a", name_b="b")
    gaps = [s.outcomes[0].correct_SN.mean() - s.outcomes[1].correct_SN.mean() for s in sets()]
    assert found.difference == pytest.approx(np.mean(gaps))
    assert (found.test, found.seeds, found.items, found.groups) == (FIXED, 5, 120, 60)
    assert found.p is not None
    assert found.se is not None
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.difference) / found.se, found.df))
    assert found.smallest_detectable is not None


def test_few_seeds_are_descriptive_and_one_says_nothing_of_seeds() -> None:
    few = fixed_contrast(sets((0, 1, 2)), name_a="a", name_b="b")
    assert (few.p, few.note, few.low is None) == (None, "descriptive", False)
    one = fixed_contrast(sets((7,)), name_a="a", name_b="b")
    assert (one.p, one.low, one.test) == (None, None, "none")
    assert "one seed" in one.note
    assert "one group" in fixed_contrast(sets(groups=1), name_a="a", name_b="b").note


def test_rows_that_nothing_is_random_in_are_tested_on_items() -> None:
    found = fixed_contrast(sets((None,)), name_a="a", name_b="b")
    assert found.p is not None
    assert found.share_seeds == pytest.approx(0)


def test_only_common_seeds_are_compared() -> None:
    shifted = [
        replace(s, outcomes=(s.outcomes[0], replace(s.outcomes[1], seeds=(2, 3, 4, 5, 6))))
        for s in sets()
    ]
    found = fixed_contrast(shifted, name_a="a", name_b="b")
    by_hand = [
        s.outcomes[0].correct_SN[2:].mean() - s.outcomes[1].correct_SN[:3].mean() for s in shifted
    ]
    assert found.seeds == 3
    assert found.difference == pytest.approx(np.mean(by_hand))
    apart = [
        replace(s, outcomes=(s.outcomes[0], replace(s.outcomes[1], seeds=(9, 8, 7, 6, 5))))
        for s in sets()
    ]
    assert "no seed in common" in fixed_contrast(apart, name_a="a", name_b="b").note


def test_the_interval_of_a_row() -> None:
    found, method = fixed_interval(sets(rows=1))
    assert found is not None
    assert method == FIXED
    assert found.low < found.mean < found.high
    assert fixed_interval(sets((3,), rows=1))[0] is None
    assert fixed_interval(sets((None,), rows=1))[0] is not None
    assert fixed_interval(sets(rows=1, groups=1))[0] is None


def test_data_sets_as_the_sample() -> None:
    rng = np.random.default_rng(2)
    a_M, b_M = rng.random(9), rng.random(9)
    found = new_contrast(a_M, b_M, LIKE)
    theirs = stats.ttest_rel(a_M, b_M)
    ends = theirs.confidence_interval()
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert found.p == pytest.approx(stats.wilcoxon(a_M, b_M, method="exact").pvalue)
    assert (found.test, found.estimand) == (WILCOXON, "new data sets")


def test_draws_that_share_classes_by_hand() -> None:
    """A quarter of the classes is shared: n_test / n_train is 1/3."""
    d_M = np.array([0.1, 0.12, 0.08, 0.11, 0.2])
    found = new_contrast(d_M, np.zeros(5), LIKE, overlap=0.25)
    error = d_M.std(ddof=1) * (1 / 5 + 1 / 3) ** 0.5
    assert found.p == pytest.approx(2 * stats.t.sf(d_M.mean() / error, 4))
    assert found.low == pytest.approx(d_M.mean() - stats.t.ppf(0.975, 4) * error)
    assert found.test == CORRECTED
    few = new_contrast(d_M[:3], np.zeros(3), LIKE, overlap=0.25)
    assert (few.p, few.low) == (None, None)
    assert "needs 4 draws" in few.note
    same = new_contrast(np.full(5, 0.5), np.full(5, 0.4), LIKE, overlap=0.25)
    assert (same.p, same.low) == (None, None)
    assert "the same in every class draw" in same.note


def test_the_correction_holds_for_draws_that_share_their_noise() -> None:
    """Values with a pairwise correlation of 0.3: the plain t test is wrong in a quarter."""
    rng = np.random.default_rng(0)
    wrong = np.zeros(2)
    for _ in range(2000):
        d_M = 0.3**0.5 * rng.normal() + 0.7**0.5 * rng.normal(size=6)
        for i, overlap in enumerate((0.0, 0.3)):
            t = t_over_datasets(d_M, overlap)
            assert t is not None
            wrong[i] += t.p <= 0.05
    assert wrong[0] / 2000 > 0.2
    assert 0.03 < wrong[1] / 2000 < 0.07


def test_one_data_set_or_no_spread_has_no_interval() -> None:
    assert t_over_datasets(np.array([0.4])) is None
    assert t_over_datasets(np.array([0.3, 0.1 + 0.2])) is None
    assert t_over_datasets(np.array([0.3, 0.4, 0.6, 0.7]), 1.0) is None


@pytest.mark.parametrize(("sets_", "m", "given"), [(11, 45, True), (11, 55, False), (5, 1, False)])
def test_when_a_p_is_given(sets_: int, m: int, given: bool) -> None:
    """At 11 data sets the smallest p is 0.00098: enough for 10 rows, not for 11."""
    a_M = np.arange(1.0, sets_ + 1)
    tally = across(a_M, np.zeros(sets_))
    contrast = gated(new_contrast(a_M, np.zeros(sets_), LIKE), tally, m)
    assert contrast.p == (2 / 2**sets_ if given else None)
    if not given:
        assert "too few for a p-value" in contrast.note


def test_equal_rows_are_said_to_be_equal() -> None:
    a_M = np.full(8, 0.5)
    found = gated(new_contrast(a_M, a_M, LIKE), across(a_M, a_M), 1)
    assert (found.p, found.low, found.note) == (None, None, "equal on every data set")


def test_false_positives_of_the_family_over_new_data_sets() -> None:
    """Four equal rows on eleven data sets: any false claim in at most 5%, and in more than 0."""
    rng = np.random.default_rng(5)
    any_false = 0
    pairs = [(i, j) for i in range(4) for j in range(i)]
    for _ in range(300):
        scores_KM = rng.normal(0, 1, (1, 11)) + rng.normal(0, 0.5, (4, 11))
        p = [
            gated(new_contrast(x, y, LIKE), across(x, y), 6).p
            for x, y in ((scores_KM[i], scores_KM[j]) for i, j in pairs)
        ]
        assert None not in p
        any_false += min(v for v in p if v is not None) <= 0.05 / 6
    assert 0 < any_false / 300 <= 0.06
