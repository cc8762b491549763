"""Equivalence within a margin: the 90% interval, and two one-sided tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import norm, ttest_1samp
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from harness.core.outcomes import Contrast, Outcomes
from harness.stats import family, pairwise
from harness.stats.equivalence import (
    BOTH,
    DIFFERENT,
    EQUIVALENT,
    UNDECIDED,
    beyond_p,
    equivalence_p,
    interval_90,
    verdict,
)
from harness.stats.mcnemar import mcnemar
from harness.stats.paired_t import paired_t
from harness.stats.two_way import two_way

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, IntArray

ITEMS = 60


def outcomes(accuracy: float, seeds: int | None, stream: int, items: int = ITEMS) -> Outcomes:
    rng = np.random.default_rng(stream)
    shared_N = np.random.default_rng(7).normal(size=items)
    score_SN = shared_N + 0.7 * rng.normal(size=(seeds or 1, items))
    return made(score_SN < np.quantile(score_SN, accuracy), seeds)


def made(correct_SN: BoolArray, seeds: int | None, groups_N: IntArray | None = None) -> Outcomes:
    alone_N = np.arange(correct_SN.shape[1])
    named = (None,) if seeds is None else tuple(range(seeds))
    return Outcomes(correct_SN, named, alone_N if groups_N is None else groups_N)


def contrast(
    a: Outcomes, b: Outcomes, estimand: str = "E2", margin: float | None = None
) -> Contrast:
    found = pairwise.contrast(a, b, name_a="a", name_b="b", estimand=estimand)
    return family.adjust([found], margin)[0]


def said(c: Contrast, margin: float) -> str:
    """The verdict on a contrast with a given adjusted p, alone in its family."""
    (adjusted,) = family.adjust([replace(c, p_adjusted=None)], margin)
    return verdict(replace(adjusted, p_adjusted=c.p_adjusted))


def test_trained_rows_have_the_90_percent_interval_of_two_way_random_effects() -> None:
    a, b = outcomes(0.7, 5, 1), outcomes(0.6, 5, 2)
    t = two_way(a.correct_SN * 1.0 - b.correct_SN, a.groups_N, confidence=0.9).t
    assert interval_90(contrast(a, b)) == pytest.approx((t.low, t.high))


@pytest.mark.parametrize(("b", "c"), [(9, 4), (0, 0), (3, 0), (ITEMS, 0)])
def test_untrained_rows_have_that_of_bonett_and_price(b: int, c: int) -> None:
    right_N = np.arange(ITEMS)[None] < b
    other_N = (np.arange(ITEMS)[None] >= b) & (np.arange(ITEMS)[None] < b + c)
    expected = mcnemar(b, c, ITEMS, confidence=0.9)
    found = interval_90(contrast(made(right_N, None), made(other_N, None)))
    assert found == pytest.approx((expected.low, expected.high))


def test_rows_that_agree_on_every_item_are_not_equivalent_without_items_enough() -> None:
    """Nothing disagrees in 10 groups: the interval of Bonett and Price is +-0.19, that of 400
    groups +-0.006.
    """
    right_SN = np.ones((5, 400), dtype=bool)
    for groups_N, half in ((np.arange(400) // 40, 0.194), (np.arange(400), 0.00578)):
        same = made(right_SN, 5, groups_N)
        c = contrast(same, same, margin=0.02)
        assert interval_90(c) == pytest.approx((-half, half), rel=1e-2)
        assert verdict(c) == (UNDECIDED if half > 0.02 else EQUIVALENT)


def test_a_row_that_is_always_right_beside_one_that_never_is() -> None:
    right, wrong = made(np.ones((5, 9), dtype=bool), 5), made(np.zeros((5, 9), dtype=bool), 5)
    expected = mcnemar(9, 0, 9, confidence=0.9)
    assert interval_90(contrast(right, wrong)) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("stream", range(4))
def test_inside_the_margin_is_two_one_sided_t_tests_at_5_percent(
    margin: float, stream: int
) -> None:
    a, b = outcomes(0.7, 8, 10 + stream), outcomes(0.69, 8, 20 + stream)
    d_S = a.correct_SN.mean(axis=1) - b.correct_SN.mean(axis=1)
    p = max(
        ttest_1samp(d_S, -margin, alternative="greater").pvalue,
        ttest_1samp(d_S, margin, alternative="less").pvalue,
    )
    inside = verdict(contrast(a, b, "E1", margin)) in (EQUIVALENT, BOTH)
    assert inside == (p < 0.05)


MADE = Contrast("a", "b", 0.01, 0.0, 0.02, 0.04, 0.04, 5, 100, 100, "E2", "t", se=0.005, df=np.inf)


@pytest.mark.parametrize(
    ("changes", "margin", "expected"),
    [
        ({}, 0.02, BOTH),  # 0.01 +- 0.0082
        ({}, 0.018, DIFFERENT),
        ({"difference": -0.01}, 0.02, BOTH),
        ({"difference": -0.01}, 0.018, DIFFERENT),
        ({"p_adjusted": 0.05}, 0.018, DIFFERENT),
        ({"p_adjusted": 0.051}, 0.018, UNDECIDED),
        ({"p_adjusted": 0.051}, 0.02, EQUIVALENT),
        ({"p": None, "p_adjusted": None}, 0.02, ""),
        ({"se": 0.0, "p_adjusted": 0.5}, 0.02, UNDECIDED),
        ({"low": None, "high": None, "p_adjusted": 1.0}, 0.9, UNDECIDED),
    ],
)  # fmt: skip
def test_different_and_equivalent_are_two_questions(
    changes: dict[str, float | None], margin: float, expected: str
) -> None:
    assert said(replace(MADE, **changes), margin) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("margin", [0.0, -0.1, np.nan])
def test_what_is_no_margin(margin: float) -> None:
    with pytest.raises(ValueError, match="is no margin"):
        said(MADE, margin)


def test_few_seeds_are_descriptive() -> None:
    few = contrast(outcomes(0.7, 4, 1), outcomes(0.7, 4, 2), margin=0.9)
    assert verdict(few) == ""
    assert interval_90(few) is not None
    assert interval_90(contrast(outcomes(0.7, 1, 1), outcomes(0.7, 1, 2))) is None


def test_a_difference_as_large_as_the_margin_is_rarely_called_equivalent() -> None:
    """Nominally in 5% of studies; the ceiling is that of the other tests."""
    rng, margin, found = np.random.default_rng(3), 0.1, 0
    for _ in range(400):
        p_N = rng.uniform(0.2, 0.8, 100)
        noise_SN = rng.uniform(size=(2, 5, 100))
        a, b = (made(noise_SN[i] < p_N + shift, 5) for i, shift in ((0, margin), (1, 0.0)))
        found += verdict(contrast(a, b, margin=margin)) in (EQUIVALENT, BOTH)
    assert 0 < found <= 0.08 * 400


def test_equivalence_is_adjusted_in_the_family_of_the_pairs() -> None:
    """Holm's correction: the third of three p of about 0.03 is not multiplied, the first is."""
    errors = [0.005, 0.0053, 0.012]
    raw = [replace(MADE, p_adjusted=None, se=se) for se in errors]
    single = [equivalence_p(c, 0.02) for c in raw]
    assert single == pytest.approx([norm.sf(0.01 / se) for se in errors])
    got = [c.p_equivalent for c in family.adjust(raw, 0.02)]
    assert got == pytest.approx(multipletests(single, method="holm")[1])
    without = replace(MADE, p=None, p_adjusted=None)  # descriptive: no member of the family
    assert [c.p_equivalent for c in family.adjust([*raw, without], 0.02)] == [*got, None]
    held = replace(MADE, p=1.0, p_adjusted=None, low=None, high=None)  # a pair that waits for seeds
    waiting = family.adjust([*raw, held], 0.02)
    assert waiting[0].p_equivalent == pytest.approx(4 * norm.sf(2.0))
    assert waiting[3].p_equivalent == 1.0
    assert [c.p_equivalent for c in family.adjust(raw)] == [None] * 3


def test_any_false_equivalence_of_eight_rows_is_rare() -> None:
    """Half of eight rows are a margin above the others: 16 of the 28 pairs differ by the margin."""
    rng, margin, found, alone = np.random.default_rng(4), 0.1, 0, 0
    for _ in range(200):
        p_N = rng.uniform(0.2, 0.8, 100)
        rows = [made(rng.uniform(size=(5, 100)) < p_N + margin * (i < 4), 5) for i in range(8)]
        pairs = [pairwise.contrast(rows[i], rows[j], name_a=str(i), name_b=str(j))
                 for i, j in combinations(range(8), 2)]  # fmt: skip
        beyond = [(int(c.a) < 4) != (int(c.b) < 4) for c in pairs]
        adjusted = family.adjust(pairs, margin)
        found += any(
            b and verdict(c) in (EQUIVALENT, BOTH) for b, c in zip(beyond, adjusted, strict=True)
        )
        single = [equivalence_p(c, margin) for c in pairs]
        alone += any(b and p is not None and p <= 0.05 for b, p in zip(beyond, single, strict=True))
    assert found <= 0.05 * 200 < 0.15 * 200 < alone


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.06])
@pytest.mark.parametrize("shift", [0.0, 0.01, -0.04])
def test_the_p_of_two_one_sided_tests_is_that_of_statsmodels(margin: float, shift: float) -> None:
    d_S = np.random.default_rng(3).normal(shift, 0.02, 12)
    t = paired_t(d_S).t
    assert t is not None
    c = Contrast("a", "b", t.mean, t.low, t.high, t.p, None, 12, 0, 0, "E1",
                 "paired t over seeds", se=t.standard_error, df=t.df)  # fmt: skip
    expected = ttost_paired(d_S, np.zeros(12), -margin, margin)[0]
    assert equivalence_p(c, margin) == pytest.approx(expected, abs=1e-9)


def test_beyond_a_margin_of_zero_is_the_two_sided_test_and_at_the_margin_it_is_uniform() -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(2000):
        t = paired_t(rng.normal(0.03, 0.02, 8)).t
        assert t is not None
        c = Contrast("a", "b", t.mean, t.low, t.high, t.p, None, 8, 0, 0, "E1",
                     "paired t over seeds", se=t.standard_error, df=t.df)  # fmt: skip
        assert beyond_p(c, 0.0) == pytest.approx(t.p, abs=1e-9)
        found.append(beyond_p(c, 0.03))
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.015)
