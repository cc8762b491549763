from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scikit_posthocs import posthoc_wilcoxon
from scipy import stats

from harness.stats.across import across, friedman, may_give_p, wilcoxon_p
from harness.stats.holm import holm

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@QUICK
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_wilcoxon_without_ties_is_that_of_scipy(seed: int, n: int) -> None:
    d_M = np.random.default_rng(seed).normal(0.3, 1, n)
    theirs = stats.wilcoxon(d_M, method="exact").pvalue
    assert wilcoxon_p(d_M) == pytest.approx(theirs, rel=1e-9)


@QUICK
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=9))
def test_wilcoxon_with_ties_is_that_of_all_sign_flips(d: list[int]) -> None:
    d_M = np.array(d) / 7
    assume(np.count_nonzero(d_M) > 1)
    exact = stats.PermutationMethod(n_resamples=np.inf)
    theirs = stats.wilcoxon(np.array([x for x in d if x]), method=exact).pvalue
    assert wilcoxon_p(d_M) == pytest.approx(theirs, rel=1e-9)


def test_equal_differences_of_accuracies_tie() -> None:
    """Six gaps of 0.1, one of them a loss; rounding makes each a little different."""
    a_M = np.array([0.4, 0.4, 0.8, 0.8, 0.2, 0.6])
    b_M = np.array([0.3, 0.3, 0.7, 0.7, 0.1, 0.7])
    assert len(set(np.abs(a_M - b_M).tolist())) > 2
    # Seven of 64 patterns have at most one negative sign, and seven at most one positive.
    assert wilcoxon_p(a_M - b_M) == pytest.approx(14 / 64)
    assert across(a_M, b_M).p == pytest.approx(14 / 64)


def test_accuracies_that_differ_by_rounding_tie() -> None:
    got = across(np.array([0.1 + 0.2, 0.5]), np.array([0.3, 0.4]))
    assert (got.win, got.tie, got.loss) == (1, 1, 0)


def test_wins_ties_and_losses() -> None:
    got = across(np.array([0.5, 0.7, 0.9, 0.1]), np.array([0.4, 0.7, 0.8, 0.3]))
    assert (got.win, got.tie, got.loss, got.p) == (2, 1, 1, None)
    assert got.mean == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("n", "m", "may"),
    [(0, 1, False), (5, 1, False), (6, 1, True), (6, 2, False), (8, 6, True), (7, 6, False)],
)
def test_when_a_p_may_be_given(n: int, m: int, may: bool) -> None:
    assert may_give_p(n, m=m) is may
    if n:
        p = across(np.arange(1.0, n + 1), np.zeros(n), m=m).p
        assert p == (2 / 2**n if may else None)


def test_ties_do_not_count_as_datasets() -> None:
    a_M = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.0, 0.0])
    assert across(a_M, np.zeros(7)).p is None


@QUICK
@given(st.integers(0, 10_000))
def test_swapping_the_methods_mirrors_the_result(seed: int) -> None:
    a_M, b_M = np.random.default_rng(seed).integers(0, 6, (2, 12)) / 5
    there, back = across(a_M, b_M), across(b_M, a_M)
    assert (back.win, back.loss, back.p) == (there.loss, there.win, there.p)


def test_pairs_with_holm_are_those_of_scikit_posthocs() -> None:
    scores_KM = np.random.default_rng(4).normal([[0.0], [0.4], [3.0]], size=(3, 9))
    theirs = posthoc_wilcoxon(scores_KM.tolist(), method="exact", p_adjust="holm").to_numpy()
    pairs = [(0, 1), (0, 2), (1, 2)]
    ours = holm([across(scores_KM[i], scores_KM[j], m=3).p for i, j in pairs])
    assert ours == pytest.approx([theirs[pair] for pair in pairs])
    assert min(p for p in ours if p is not None) < 0.05


@QUICK
@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(2, 12), st.sampled_from([3, 1000]))
def test_friedman_is_that_of_scipy(seed: int, k: int, n: int, values: int) -> None:
    scores_MK = np.random.default_rng(seed).integers(0, values, (n, k)) / 7
    assume(any(len(set(row)) > 1 for row in scores_MK.tolist()))
    ours, theirs = friedman(scores_MK), stats.friedmanchisquare(*scores_MK.T)
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)


def test_friedman_ranks_the_best_first() -> None:
    got = friedman(np.array([[0.9, 0.5, 0.1], [0.8, 0.6, 0.6]]))
    assert got.mean_ranks == (1.0, 2.25, 2.75)
    assert friedman(np.full((4, 3), 0.5)).p == 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="same datasets"):
        across(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="same datasets"):
        across(np.ones(0), np.ones(0))
    with pytest.raises(ValueError, match="at least"):
        friedman(np.ones((5, 2)))
