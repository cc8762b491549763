from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.outcomes import Contrast, Outcomes
from harness.stats.family import adjust, rank_intervals, tied_with_best
from harness.stats.holm import holm
from harness.stats.pairwise import contrast
from harness.stats.power import smallest_detectable
from harness.stats.two_way import two_way

QUICK = settings(deadline=None, derandomize=True, database=None, max_examples=60)


def made(a: str, b: str, difference: float, p: float | None, adjusted: float | None) -> Contrast:
    return Contrast(a, b, difference, None, None, p, adjusted, 5, 60, 60, "E2", "made up")


def chain(p_of: dict[tuple[str, str], float | None]) -> list[Contrast]:
    """Adjusted contrasts among a > b > c > d; p 1 where none is given."""
    pairs = combinations("abcd", 2)
    return [made(x, y, 0.1, p_of.get((x, y), 1.0), p_of.get((x, y), 1.0)) for x, y in pairs]


def rows(seed: int, k: int, seeds: int = 5) -> dict[str, Outcomes]:
    rng = np.random.default_rng(seed)
    item_N = rng.normal(0, 1, 80)
    z_KSN = item_N + rng.normal(0, 0.2, (k, seeds, 1)) + rng.normal(0, 0.8, (k, seeds, 80))
    z_KSN += np.linspace(1, -1, k)[:, None, None]
    names = "abcdef"[:k]
    return {
        x: Outcomes(z > 0, tuple(range(seeds)), np.arange(80))
        for x, z in zip(names, z_KSN, strict=True)
    }


def all_pairs(o: dict[str, Outcomes]) -> list[Contrast]:
    return [contrast(o[x], o[y], name_a=x, name_b=y) for x, y in combinations(o, 2)]


def test_adjusted_as_one_family() -> None:
    o = rows(1, 4)
    plain = all_pairs(o)
    got = adjust(plain)
    assert [c.p_adjusted for c in got] == holm([c.p for c in plain])
    assert [(c.a, c.b, c.p, c.low) for c in got] == [(c.a, c.b, c.p, c.low) for c in plain]
    assert [c.p_adjusted for c in adjust(plain[:1])] == [plain[0].p]


def test_smallest_detectable_is_at_alpha_over_m() -> None:
    o = rows(1, 4)
    for c in adjust(all_pairs(o)):
        d_SN = o[c.a].correct_SN.astype(float) - o[c.b].correct_SN
        t = two_way(d_SN, o[c.a].groups_N).t
        expected = smallest_detectable(t.standard_error, t.df, m=6)
        assert c.smallest_detectable == expected


def test_smallest_detectable_of_deterministic_rows() -> None:
    o = {x: Outcomes(r.correct_SN[:1], (None,), r.groups_N) for x, r in rows(2, 3).items()}
    plain = all_pairs(o)
    for before, after in zip(plain, adjust(plain), strict=True):
        assert before.smallest_detectable is not None
        assert after.smallest_detectable is not None
        growth = smallest_detectable(1, np.inf, m=3) / smallest_detectable(1, np.inf)
        assert after.smallest_detectable / before.smallest_detectable == pytest.approx(growth)


def test_one_claim_changes_nothing() -> None:
    (before,) = all_pairs(rows(3, 2))
    (after,) = adjust([before])
    assert after.smallest_detectable == pytest.approx(before.smallest_detectable)
    assert after.p_adjusted == before.p


def test_what_has_no_p_does_not_count() -> None:
    plain = [made("a", "b", 0.1, 0.02, None), made("a", "c", 0.1, None, None)]
    got = adjust([*plain, made("b", "c", 0.1, 0.04, None)])
    assert [c.p_adjusted for c in got] == [0.04, None, 0.04]
    assert adjust([]) == []


def test_a_contrast_belongs_to_one_family() -> None:
    with pytest.raises(ValueError, match="one family"):
        adjust(adjust(all_pairs(rows(1, 2))))


def test_rank_intervals_by_hand() -> None:
    got = rank_intervals("abcd", chain({("a", "c"): 0.04, ("a", "d"): 0.01, ("b", "d"): 0.05}))
    assert got == {"a": (1, 2), "b": (1, 3), "c": (2, 4), "d": (3, 4)}


def test_a_negative_difference_is_a_win_of_the_second() -> None:
    won = [made("a", "b", -0.1, 0.01, 0.01)]
    assert rank_intervals(["a", "b"], won) == {"a": (2, 2), "b": (1, 1)}
    assert tied_with_best(["a", "b"], [0.5, 0.6], won) == ["b"]


def test_ties_with_the_best() -> None:
    contrasts = chain({("a", "c"): 0.04, ("a", "d"): 0.06})
    assert tied_with_best("abcd", [0.9, 0.8, 0.7, 0.6], contrasts) == ["a", "b", "d"]
    # Two share the highest mean: c is out whichever of them comes first.
    assert tied_with_best("bacd", [0.9, 0.9, 0.7, 0.6], contrasts) == ["b", "a", "d"]


def test_a_missing_p_takes_bold_and_ranks_away() -> None:
    holes = chain({("a", "d"): 0.01, ("b", "c"): None})
    assert rank_intervals("abcd", holes) == {}
    assert tied_with_best("abcd", [4, 3, 2, 1], holes) == []
    # Only where it is among the labels.
    assert rank_intervals("abd", holes) == {"a": (1, 2), "b": (1, 3), "d": (2, 3)}


def test_a_missing_pair_takes_bold_and_ranks_away() -> None:
    assert rank_intervals("abcd", chain({})[1:]) == {}
    assert tied_with_best("abcd", [4, 3, 2, 1], chain({})[1:]) == []
    assert rank_intervals(["a"], []) == {}
    assert tied_with_best(["a"], [0.5], []) == []


def test_three_seeds_give_no_bold() -> None:
    o = rows(4, 3, seeds=3)
    contrasts = adjust(all_pairs(o))
    assert rank_intervals(list(o), contrasts) == {}
    assert tied_with_best(list(o), [0.9, 0.8, 0.7], contrasts) == []


def test_ranks_need_adjusted_contrasts() -> None:
    with pytest.raises(ValueError, match="adjusted"):
        rank_intervals("ab", [made("a", "b", 0.1, 0.01, None)])


@QUICK
@given(st.lists(st.booleans(), min_size=6, max_size=6), st.permutations("abcd"))
def test_ranks_are_consistent(separable: list[bool], order: list[str]) -> None:
    pairs = list(combinations("abcd", 2))
    contrasts = chain({x: 0.01 if yes else 0.5 for x, yes in zip(pairs, separable, strict=True)})
    got = rank_intervals(order, contrasts)
    assert got == rank_intervals("abcd", contrasts[::-1])
    for label, (low, high) in got.items():
        # The true order is a, b, c, d and all separations are right.
        assert low <= 1 + "abcd".index(label) <= high
    means = [1 - "abcd".index(x) / 10 for x in order]
    assert set(tied_with_best(order, means, contrasts)) == {
        x for x in "abcd" if x == "a" or ("a", x) not in _sure(pairs, separable)
    }


def _sure(pairs: list[tuple[str, str]], separable: list[bool]) -> set[tuple[str, str]]:
    return {x for x, yes in zip(pairs, separable, strict=True) if yes}
