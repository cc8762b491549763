"""No interval of zero width where something is random, and no claim from a variance of zero."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from harness.core.outcomes import Contrast, Outcomes
from harness.stats.corrected_t import corrected_t
from harness.stats.equivalence import interval_90
from harness.stats.family import adjust, rank_intervals, tied_with_best
from harness.stats.fixed_sets import SetOutcomes, mean_of_sets
from harness.stats.mcnemar import mcnemar
from harness.stats.no_spread import groups_agree, no_spread
from harness.stats.over_sets import WeightedSet, fixed_contrast
from harness.stats.pairwise import contrast, estimate
from harness.stats.seed_values import contrast_of_values

FIVE = (0, 1, 2, 3, 4)
TENS_N = np.arange(100) // 10


def ab(a: Outcomes, b: Outcomes, estimand: str = "E2") -> Contrast:
    return contrast(a, b, name_a="a", name_b="b", estimand=estimand)


def shared(right_N: np.ndarray, seeds: tuple[int | None, ...], groups_N: np.ndarray) -> Outcomes:
    """The same outcomes in every seed."""
    return Outcomes(np.tile(right_N.astype(bool), (len(seeds), 1)), seeds, groups_N)


@pytest.mark.parametrize("d", [-1, 0, 1])
@pytest.mark.parametrize("n", [1, 2, 10, 60])
def test_units_that_agree_are_those_of_bonett_and_price(d: int, n: int) -> None:
    got, theirs = no_spread(d, n), mcnemar(n * (d > 0), n * (d < 0), n)
    assert (got.low, got.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    assert got.standard_error == pytest.approx(theirs.standard_error, rel=1e-9)
    assert got.p == pytest.approx(theirs.p, rel=1e-9)


def test_a_part_of_every_group_by_hand() -> None:
    """Ten groups at +0.5, one at +1 and one at -1: mean 5/12, mean square 4.5/12."""
    got = no_spread(0.5, 10)
    error = ((4.5 / 12 - (5 / 12) ** 2) / 12) ** 0.5
    assert got.standard_error == pytest.approx(error)
    assert (got.low, got.high) == pytest.approx(
        (5 / 12 - 1.959964 * error, 5 / 12 + 1.959964 * error)
    )
    assert got.p == 2 / 2**10


@pytest.mark.parametrize(("d", "n"), [(0.0, 0), (1.1, 5), (float("nan"), 5)])
def test_nonsense_is_refused(d: float, n: int) -> None:
    with pytest.raises(ValueError, match="a difference of"):
        no_spread(d, n)


@pytest.mark.parametrize("seeds", [FIVE, (None,)])
def test_equal_rows_have_the_interval_of_their_groups(seeds: tuple[int | None, ...]) -> None:
    """Ten groups without a difference: 25 points wide for trained and untrained rows."""
    row = shared(np.arange(100) < 70, seeds, TENS_N)
    got = ab(row, row)
    assert (got.difference, got.p) == (0, 1)
    expected = mcnemar(0, 0, 10)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    assert got.high is not None
    assert got.high == pytest.approx(0.231, abs=1e-3)
    assert interval_90(got) == pytest.approx((-0.194, 0.194), abs=1e-3)


@pytest.mark.parametrize("seeds", [FIVE, (None,)])
def test_groups_whose_items_differ_alike_are_no_proof(seeds: tuple[int | None, ...]) -> None:
    """Every pair of items has one more right in a: groups have no variance, items do."""
    pairs_N = np.arange(20) // 2
    a = shared(np.ones(20), seeds, pairs_N)
    b = shared(np.arange(20) % 2, seeds, pairs_N)
    got, expected = ab(a, b), no_spread(0.5, 10)
    assert (got.difference, got.low, got.high) == (0.5, expected.low, expected.high)
    assert got.p == 2 / 2**10
    assert got.note == "the same in every seed and group: counted by groups"


def test_groups_of_other_sizes_with_the_same_mean_agree() -> None:
    groups_N = np.repeat([0, 1, 2], [2, 4, 6])
    x_SN = np.tile(np.arange(12) % 2, (3, 1)).astype(float)
    assert groups_agree(x_SN, groups_N)
    x_SN[0, 0] = 1
    assert not groups_agree(x_SN, groups_N)


def test_seeds_that_agree_are_counted_under_e1() -> None:
    """Five equal differences: the t test's p would be 0, that of the sign flips is 1/16."""
    a = shared(np.arange(100) < 80, FIVE, TENS_N)
    b = shared(np.arange(100) < 70, FIVE, TENS_N)
    got, expected = ab(a, b, "E1"), no_spread(0.1, 5)
    assert (got.p, got.test) == (1 / 16, "sign flips over seeds")
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    assert interval_90(got) == pytest.approx(
        (no_spread(0.1, 5, confidence=0.9).low, no_spread(0.1, 5, confidence=0.9).high)
    )
    assert ab(a, a, "E1").p == 1


def test_values_of_seeds_without_variation_have_no_interval() -> None:
    like = ab(shared(np.ones(100), FIVE, TENS_N), shared(np.ones(100), FIVE, TENS_N))
    a, b = dict.fromkeys(FIVE, 0.1 + 0.2), dict.fromkeys(FIVE, 0.3)
    for same_items in (True, False):
        got = contrast_of_values(
            a, b, replace(like, low=None, high=None, p=None, se=None), same_items=same_items
        )
        assert (got.test, got.low, got.high, got.p) == ("none", None, None, None)
        assert got.difference == pytest.approx(0)


def test_draws_without_variation_have_no_test() -> None:
    assert corrected_t(np.full(8, 0.3), 0.5).t is None


def test_a_data_set_whose_clusters_agree_has_a_variance() -> None:
    """In the mean of data sets too: one differs by half of every cluster, the other not at all."""
    half_SN = np.tile([0.0, 1.0], (5, 10))
    sets = [
        SetOutcomes(half_SN, np.arange(20) // 2, 0.5),
        SetOutcomes(np.zeros((5, 20)), 100 + np.arange(20) // 2, 0.5),
    ]
    got = mean_of_sets(sets, paired=True)
    variance = (no_spread(0.5, 10).standard_error ** 2 + no_spread(0, 10).standard_error ** 2) / 4
    assert got.t.mean == 0.25
    assert got.t.standard_error == pytest.approx(variance**0.5)


def degenerate(kind: str, seeds: tuple[int | None, ...], n: int, groups: int) -> Outcomes:
    rng = np.random.default_rng(len(seeds) + n)
    right_SN = {
        "all right": np.ones((len(seeds), n), dtype=bool),
        "all wrong": np.zeros((len(seeds), n), dtype=bool),
        "seeds agree": np.tile(rng.random(n) < 0.5, (len(seeds), 1)),
        "items agree": np.tile((rng.random(len(seeds)) < 0.5)[:, None], (1, n)),
        "mixed": rng.random((len(seeds), n)) < 0.5,
    }[kind]
    return Outcomes(right_SN, seeds, np.arange(n) * groups // n)


KINDS = ("all right", "all wrong", "seeds agree", "items agree", "mixed")
SIZES = [(1, 1), (2, 1), (2, 2), (30, 2), (30, 10), (30, 30)]


@pytest.mark.parametrize(("n", "groups"), SIZES)
@pytest.mark.parametrize("estimand", ["E1", "E2"])
def test_degenerate_rows_never_give_nan_nor_certainty(n: int, groups: int, estimand: str) -> None:
    all_seeds: list[tuple[int | None, ...]] = [(None,), (0,), (0, 1), FIVE, (3, 4, 5, 6, 7, 8, 9)]
    rows = [degenerate(k, s, n, groups) for k, s in product(KINDS, all_seeds)]
    for a, b in product(rows, rows):
        got = ab(a, b, estimand)
        numbers = (got.low, got.high, got.p, got.smallest_detectable, got.share_seeds, got.se)
        assert np.isfinite([x for x in (got.difference, *numbers) if x is not None]).all()
        assert got.p is None or 0 < got.p <= 1
        assert got.difference or got.p in (None, 1)
        nothing_random = estimand == "E1" and a.seeds == b.seeds == (None,)
        if got.low is not None and got.high is not None and not nothing_random:
            assert got.low < got.high
    for row in rows:
        found = estimate(row)
        if found.low is not None and found.high is not None:
            assert 0 <= found.low <= found.mean <= found.high <= 1
            assert found.low < found.high


@pytest.mark.parametrize("seeds", [FIVE, (None,)])
def test_a_column_of_equal_rows_claims_nothing(seeds: tuple[int | None, ...]) -> None:
    row = shared(np.arange(100) < 70, seeds, TENS_N)
    pairs = [contrast(row, row, name_a=a, name_b=b) for a, b in ("xy", "xz", "yz")]
    adjusted = adjust(pairs)
    assert [c.p_adjusted for c in adjusted] == [1, 1, 1]
    assert rank_intervals("xyz", adjusted) == {"x": (1, 3), "y": (1, 3), "z": (1, 3)}
    assert tied_with_best("xyz", [0.7] * 3, adjusted) == ["x", "y", "z"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2, 3)])
def test_a_column_of_few_seeds_has_no_ranks(seeds: tuple[int, ...]) -> None:
    rows = [degenerate(k, seeds, 30, 10) for k in ("all right", "all wrong")]
    adjusted = adjust([contrast(*rows, name_a="x", name_b="y")])
    assert (adjusted[0].p, adjusted[0].p_adjusted) == (None, None)
    assert rank_intervals("xy", adjusted) == {}
    assert tied_with_best("xy", [1.0, 0.0], adjusted) == []


def test_a_mean_over_data_sets_of_equal_rows_claims_nothing() -> None:
    row = shared(np.arange(100) < 70, FIVE, TENS_N)
    sets = [
        WeightedSet((row, row), 0.5),
        WeightedSet((shared(row.correct_SN[0], FIVE, TENS_N + 50),) * 2, 0.5),
    ]
    got = fixed_contrast(sets, name_a="a", name_b="b")
    assert (got.difference, got.p) == (0, 1)
    assert got.high is not None
    assert got.high == pytest.approx(1.959964 * (no_spread(0, 10).standard_error ** 2 / 2) ** 0.5)
