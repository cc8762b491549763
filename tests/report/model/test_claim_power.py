"""What accuracy claims could show at the level of their page."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.model.claim_power import ClaimPower, powers, smallest_of
from harness.report.model.claims import JudgedClaim, adjust_page, judge
from harness.report.model.table import build_table
from harness.stats.planning import components, floor_of_seeds, groups_needed, seeds_needed
from harness.stats.power import smallest_detectable, t_power

from ..studies import few_shot_accuracy, make_results, task_of

SEEDS = 8


def claim(a: str, b: str, **more: Any) -> dict[str, Any]:
    return {"text": f"{a} and {b}", "a": a, "b": b, "direction": ">", **more}


def judged(*claimed: dict[str, Any], seeds: int = SEEDS, n: int = 200) -> list[JudgedClaim]:
    task = task_of(claims=list(claimed), shots=1, seeds=seeds)
    results = make_results(task, few_shot_accuracy, n=n)
    (found,) = adjust_page([judge(results, build_table(results))])
    return found


def test_the_level_is_that_of_all_claims_of_the_page_and_not_of_the_table() -> None:
    """The table has 28 pairs of 8 rows; the page has 3 claims."""
    found = judged(claim("text", "random"), claim("orthogonal", "random"), claim("lda", "text"))
    for j in found:
        c = j.contrast
        assert c is not None
        assert c.se is not None
        assert c.df is not None
        by_hand = smallest_detectable(c.se, c.df, m=3)
        assert smallest_of(j) == pytest.approx(by_hand)
        assert c.smallest_detectable == pytest.approx(smallest_detectable(c.se, c.df, m=28))
        assert t_power(by_hand / c.se, c.df, alpha=0.05 / 3) == pytest.approx(0.8, abs=1e-6)


def test_a_claim_of_equality_has_the_margin_in_which_equal_rows_are_shown_to_be() -> None:
    """Each of two one-sided tests at 0.05/m fails in 10%, one of them in 20%."""
    (j,) = judged(claim("random", "orthogonal", direction="=", margin=2))
    c, smallest = j.contrast, smallest_of(j)
    assert c is not None
    assert c.se is not None
    assert c.df is not None
    assert smallest is not None
    # A two-sided test at 0.1 has 0.05 on either side.
    assert t_power(smallest / c.se, c.df, alpha=0.1) == pytest.approx(0.9, abs=1e-6)


def test_other_measures_and_untested_claims_have_none() -> None:
    found = judged(claim("text", "random", measure="loss"), claim("text", "lda2"))
    assert [smallest_of(j) for j in found] == [None, None]
    assert powers(found) == []
    assert powers(judged(claim("text", "random"), seeds=3)) == []


def test_what_is_missing_is_planned_on_the_same_outcomes_at_the_level_of_the_page() -> None:
    found = judged(claim("text", "random"), claim("lda", "text"))
    assert found[0].entries is not None
    a, b = (e.outcomes for e in found[0].entries)
    assert a is not None
    assert b is not None
    plan = components(a.correct_SN.astype(float) - b.correct_SN, a.groups_N)
    first, _ = powers(found)
    level = 0.05 / 2
    assert not first.is_able
    assert first.seeds_needed == seeds_needed(plan, 0.02, alpha=level)
    assert first.groups_needed == groups_needed(plan, 0.02, alpha=level)
    assert first.floor == floor_of_seeds(plan, alpha=level)
    assert (first.seeds, first.groups, first.unit) == (SEEDS, 100, "class")


def test_a_claim_that_is_able_lacks_nothing() -> None:
    (found,) = powers(judged(claim("random", "orthogonal", direction="=", margin=90)))
    assert found.is_able
    assert (found.target, found.floor, found.seeds_needed) == (pytest.approx(0.9), None, None)


def test_one_comparison_counts_once() -> None:
    one = claim("text", "random")
    assert len(powers(judged(one, one, claim("random", "text")))) == 1


def test_able_means_that_the_smallest_difference_is_no_larger_than_the_target() -> None:
    (j,) = judged(claim("text", "random"))
    able, not_able = (ClaimPower(j, s, 0.02, 5, 9, "item").is_able for s in (0.02, 0.0201))
    assert able
    assert not not_able
