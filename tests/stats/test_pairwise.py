from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.outcomes import Contrast, Outcomes
from harness.stats.clusters import clustered_t
from harness.stats.mcnemar import mcnemar
from harness.stats.pairwise import contrast, estimate
from harness.stats.power import smallest_detectable
from harness.stats.proportion import clustered_wilson, effective_wilson, wilson
from harness.stats.two_way import two_way

if TYPE_CHECKING:
    from harness.core.samples import IntArray

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=40)
ITEMS = 60
PAIRS_N = np.repeat(np.arange(ITEMS // 2), 2)


def trained(
    seed: int, seeds: tuple[int, ...] = (0, 1, 2, 3, 4), groups_N: IntArray | None = None
) -> Outcomes:
    rng = np.random.default_rng(seed)
    z_SN = rng.normal(0.4, 0.3, (len(seeds), 1)) + rng.normal(0, 1, (len(seeds), ITEMS))
    return Outcomes(z_SN > 0, seeds, np.arange(ITEMS) if groups_N is None else groups_N)


def fixed(seed: int, groups_N: IntArray | None = None) -> Outcomes:
    x_SN = np.random.default_rng(seed).random((1, ITEMS)) < 0.6
    return Outcomes(x_SN, (None,), np.arange(ITEMS) if groups_N is None else groups_N)


def ab(a: Outcomes, b: Outcomes, estimand: str = "E2") -> Contrast:
    return contrast(a, b, name_a="a", name_b="b", estimand=estimand)


def test_trained_rows() -> None:
    a, b = trained(1), trained(2)
    got = ab(a, b)
    table = two_way(a.correct_SN.astype(float) - b.correct_SN, a.groups_N)
    assert (got.a, got.b, got.test, got.note) == ("a", "b", "two-way random effects", "")
    assert (got.seeds, got.items, got.groups, got.estimand) == (5, 60, 60, "E2")
    assert (got.difference, got.low, got.high, got.p) == (
        table.t.mean,
        table.t.low,
        table.t.high,
        table.t.p,
    )
    assert got.p_adjusted is None
    assert got.share_seeds == table.share_seeds
    assert (got.se, got.df) == (table.t.standard_error, table.t.df)
    assert got.smallest_detectable == smallest_detectable(table.t.standard_error, table.t.df)


def test_groups_are_passed_on() -> None:
    a, b = trained(1, groups_N=PAIRS_N), trained(2, groups_N=PAIRS_N)
    got = ab(a, b)
    assert got.groups == 30
    assert got.p == two_way(a.correct_SN.astype(float) - b.correct_SN, PAIRS_N).t.p
    assert got.p != ab(trained(1), trained(2)).p


def test_rows_meet_on_their_common_seeds_whatever_their_order() -> None:
    a, b = trained(1, tuple(range(8))), trained(2, tuple(range(8)))
    pick_a, pick_b = [0, 5, 3, 4, 1, 2], [7, 2, 1, 5, 4, 3]
    part_a = Outcomes(a.correct_SN[pick_a], tuple(pick_a), a.groups_N)
    part_b = Outcomes(b.correct_SN[pick_b], tuple(pick_b), b.groups_N)
    got = ab(part_a, part_b)
    d_SN = a.correct_SN[1:6].astype(float) - b.correct_SN[1:6]
    assert got.seeds == 5
    assert got.p == pytest.approx(two_way(d_SN, a.groups_N).t.p)


def test_a_deterministic_row_pairs_with_every_seed() -> None:
    a, b = trained(1), fixed(2)
    got = ab(a, b)
    repeated = Outcomes(np.repeat(b.correct_SN, 5, axis=0), a.seeds, b.groups_N)
    assert (got.seeds, got.p, got.low) == (5, ab(a, repeated).p, ab(a, repeated).low)
    assert ab(b, a).difference == -got.difference


def test_two_deterministic_rows() -> None:
    a, b = fixed(1), fixed(2)
    got = ab(a, b)
    alone_a = int((a.correct_SN & ~b.correct_SN).sum())
    alone_b = int((b.correct_SN & ~a.correct_SN).sum())
    expected = mcnemar(alone_a, alone_b, ITEMS)
    assert (got.test, got.seeds, got.share_seeds) == ("exact McNemar", 1, 0)
    assert (got.p, got.low, got.high) == (expected.p, expected.low, expected.high)
    assert got.note == f"items that only one of the two predicts correctly: {alone_a} and {alone_b}"
    assert (got.se, got.df) == (expected.standard_error, np.inf)
    assert got.smallest_detectable == pytest.approx(2.8016 * expected.standard_error, rel=1e-4)


def test_two_deterministic_rows_with_groups() -> None:
    a, b = fixed(1, PAIRS_N), fixed(2, PAIRS_N)
    got = ab(a, b)
    t = clustered_t(a.correct_SN[0].astype(float) - b.correct_SN[0], PAIRS_N)
    assert (got.test, got.p, got.low) == ("clustered t on items", t.p, t.low)


@pytest.mark.parametrize("estimand", ["E1", "E2"])
@pytest.mark.parametrize("seeds", [2, 3, 4])
def test_few_seeds_are_described_only(seeds: int, estimand: str) -> None:
    a, b = trained(1, tuple(range(seeds))), trained(2, tuple(range(seeds)))
    got = ab(a, b, estimand)
    assert (got.p, got.smallest_detectable, got.note) == (None, None, "descriptive")
    assert got.difference == pytest.approx(a.correct_SN.mean() - b.correct_SN.mean())
    assert got.low is not None
    assert got.high is not None
    assert got.low < got.difference < got.high


@pytest.mark.parametrize("estimand", ["E1", "E2"])
def test_one_seed_is_no_evidence(estimand: str) -> None:
    for b in (trained(2, (0,)), fixed(2)):
        got = ab(trained(1, (0,)), b, estimand)
        assert (got.p, got.low, got.high) == (None, None, None)
        assert got.note == "one seed: nothing is known about new seeds"
        assert got.seeds == 1


def test_no_common_seed() -> None:
    a, b = trained(1, (0, 1, 2, 3, 4)), trained(2, (5, 6, 7, 8, 9))
    got = ab(a, b)
    assert (got.p, got.low, got.seeds) == (None, None, 0)
    assert got.difference == pytest.approx(a.correct_SN.mean() - b.correct_SN.mean())
    assert "nothing is known about new seeds" in got.note


def test_same_items_new_seeds() -> None:
    a, b = trained(1), trained(2)
    got = ab(a, b, "E1")
    theirs = stats.ttest_rel(a.correct_SN.mean(axis=1), b.correct_SN.mean(axis=1))
    assert (got.test, got.estimand) == ("paired t over seeds", "E1")
    assert got.p == pytest.approx(theirs.pvalue)
    assert got.note.startswith("sign flips p = ")
    assert got.share_seeds == 1


def test_under_e1_deterministic_rows_differ_for_certain() -> None:
    got = ab(fixed(1), fixed(2), "E1")
    assert (got.p, got.low, got.high) == (None, got.difference, got.difference)


def test_one_group_says_nothing_about_items() -> None:
    one_N = np.zeros(ITEMS, dtype=int)
    for make in (trained, fixed):
        got = ab(make(1, groups_N=one_N), make(2, groups_N=one_N))
        assert (got.p, got.low) == (None, None)
        assert "one group" in got.note
        assert estimate(make(1, groups_N=one_N)).low is None


def test_rows_that_differ_everywhere_are_counted() -> None:
    """No seed and no item disagrees: a variance of zero is no proof, nine items are nine items."""
    items = np.arange(9, dtype=np.int64)
    seeds = tuple(range(5))
    right = Outcomes(np.ones((5, 9), dtype=bool), seeds, items)
    wrong = Outcomes(np.zeros((5, 9), dtype=bool), seeds, items)
    got = ab(right, wrong)
    assert got.difference == 1
    assert got.p == pytest.approx(2 * 0.5**9)
    assert got.low is not None
    assert 0.4 < got.low < 0.9
    grouped = ab(replace(right, groups_N=items // 3), replace(wrong, groups_N=items // 3))
    assert grouped.p == pytest.approx(2 * 0.5**3), "groups are what is sampled"


def test_a_row_against_itself() -> None:
    got = ab(trained(1), trained(1))
    nothing = mcnemar(0, 0, ITEMS)
    assert (got.difference, got.p) == (0, 1)
    assert (got.low, got.high) == pytest.approx((nothing.low, nothing.high))
    assert got.smallest_detectable is None
    assert got.share_seeds is None
    untrained = ab(fixed(1), fixed(1))
    assert (untrained.low, untrained.high, untrained.p) == (nothing.low, nothing.high, 1)


@QUICK
@given(st.integers(0, 10_000), st.sampled_from(["E1", "E2"]), st.booleans(), st.booleans())
def test_swapping_the_rows_mirrors_the_result(
    seed: int, estimand: str, first: bool, second: bool
) -> None:
    a = (trained if first else fixed)(seed)
    b = (trained if second else fixed)(seed + 1)
    there = contrast(a, b, name_a="a", name_b="b", estimand=estimand)
    back = contrast(b, a, name_a="b", name_b="a", estimand=estimand)
    assert there.low is not None
    assert there.high is not None
    assert (back.difference, back.low, back.high) == pytest.approx(
        (-there.difference, -there.high, -there.low)
    )
    assert back.p == pytest.approx(there.p)
    assert (back.a, back.b, back.test) == (there.b, there.a, there.test)


def test_what_does_not_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="same items"):
        ab(trained(1), trained(2, groups_N=PAIRS_N))
    with pytest.raises(ValueError, match="estimand"):
        ab(trained(1), trained(2), "E3")
    good = trained(1)
    for seeds in ((0, 1, 2, 3), (0, 0, 1, 2, 3), (None, 0, 1, 2, 3)):
        with pytest.raises(ValueError, match="seeds"):
            ab(good, Outcomes(good.correct_SN, seeds, good.groups_N))
        with pytest.raises(ValueError, match="seeds"):
            estimate(Outcomes(good.correct_SN, seeds, good.groups_N))


def test_estimate_of_a_trained_row() -> None:
    o = trained(1)
    got, t = estimate(o), two_way(o.correct_SN, o.groups_N).t
    expected = effective_wilson(t, outcomes=300, groups=60, rarer=60)
    assert (got.mean, got.method) == (t.mean, "two-way random effects")
    assert (got.seeds, got.items, got.groups) == (5, 60, 60)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_estimate_of_a_deterministic_row() -> None:
    o, grouped = fixed(1), fixed(1, PAIRS_N)
    plain = wilson(float(o.correct_SN.mean()), ITEMS)
    got = estimate(o)
    assert (got.mean, got.low, got.high) == (plain.mean, plain.low, plain.high)
    assert got.method == "Wilson"
    clustered = clustered_wilson(o.correct_SN[0], PAIRS_N)
    assert (estimate(grouped).low, estimate(grouped).high) == (clustered.low, clustered.high)


def test_estimate_of_one_seed_has_no_interval() -> None:
    got = estimate(trained(1, (3,)))
    assert (got.low, got.high) == (None, None)
    assert got.mean == trained(1, (3,)).correct_SN.mean()


@pytest.mark.parametrize("seeds", [(None,), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("right", [True, False])
def test_all_alike_is_not_certainty(seeds: tuple[int | None, ...], right: bool) -> None:
    got = estimate(Outcomes(np.full((len(seeds), 60), right), seeds, np.arange(60)))
    assert got.mean == right
    assert got.low is not None
    assert got.high is not None
    assert got.high - got.low == pytest.approx(0.06, abs=0.01)


def test_importing_costs_neither_scipy_nor_torch() -> None:
    code = (
        "import sys, harness.stats.pairwise, harness.stats.family, harness.stats.across, "
        "harness.stats.corrected_t; "
        "print([m for m in ('scipy', 'pandas', 'torch') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "[]"
