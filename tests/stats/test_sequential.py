"""The sequential rule: its looks, its p by hand, and by simulation its errors."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from harness.core.looks import LookRule
from harness.core.outcomes import Contrast, Outcomes
from harness.stats.family import adjust
from harness.stats.holm import holm
from harness.stats.pairwise import contrast
from harness.stats.sequential import (
    Seeds,
    common_seeds,
    level_of,
    make_rule,
    on_seeds,
    sequential,
)

from .test_calibration import CEILING_05, CEILING_FAMILY, WORLDS, World, trained


@pytest.mark.parametrize(
    ("first", "most", "sizes"),
    [
        (5, 20, (5, 10, 20)), (5, 12, (5, 10, 12)), (3, 20, (5, 10, 20)), (10, 20, (10, 20)),
        (8, 64, (8, 16, 32, 64)), (9, 10, (9, 10)),
    ],
)  # fmt: skip
def test_looks_double_up_to_the_budget(first: int, most: int, sizes: tuple[int, ...]) -> None:
    rule = make_rule(range(first), most)
    assert rule.sizes == sizes
    assert rule.seeds == tuple(range(most))
    assert sum(rule.levels) == pytest.approx(0.05)


def test_a_look_has_spent_the_cube_of_its_share() -> None:
    assert make_rule(range(5), 20).levels == pytest.approx(
        [0.05 / 64, 0.05 * (1 / 8 - 1 / 64), 0.05 * 7 / 8]
    )
    # Of fewer than 20 seeds the first look spends no more.
    assert make_rule(range(5), 10).levels == pytest.approx([0.05 / 64, 0.05 * 63 / 64])
    assert make_rule(range(10), 40).levels[0] == pytest.approx(0.05 / 64)


def test_further_seeds_come_after_the_largest() -> None:
    rule = make_rule((3, 1, 7, 2, 9), 10)
    assert rule.seeds == (3, 1, 7, 2, 9, 10, 11, 12, 13, 14)
    assert rule.seeds_at(0) == (3, 1, 7, 2, 9)
    assert (rule.look_of(9), rule.look_of(14), rule.look_of(0)) == (0, 1, None)


@pytest.mark.parametrize(("first", "most"), [(5, 5), (20, 20), (12, 10), (3, 9), (3, 4)])
def test_a_budget_without_room_is_refused(first: int, most: int) -> None:
    with pytest.raises(ValueError, match=f"{most} seeds are no more than"):
        make_rule(range(first), most)


RULE = make_rule(range(5), 20)
GROUPS = np.arange(40)


def outcomes(seeds: int, share: float, seed: int = 0) -> Outcomes:
    rng = np.random.default_rng(seed)
    return Outcomes(rng.random((seeds, 40)) < share, tuple(range(seeds)), GROUPS)


A, B = outcomes(20, 0.7), outcomes(20, 0.5, 1)


def pair_of(a: Outcomes, b: Outcomes) -> Contrast:
    return contrast(a, b, name_a="a", name_b="b")


def under(rules: tuple[LookRule, ...], seeds: int) -> Contrast:
    a, b = (on_seeds(o, range(seeds)) for o in (A, B))
    return sequential(
        lambda s: pair_of(on_seeds(a, s), on_seeds(b, s)), pair_of(a, b), range(seeds), rules
    )


def fixed_p(seeds: int) -> float:
    p = pair_of(on_seeds(A, range(seeds)), on_seeds(B, range(seeds))).p
    assert p is not None
    return p


def test_p_is_the_smallest_over_the_looks_at_their_levels() -> None:
    scaled = [fixed_p(s) * 0.05 / level for s, level in zip((5, 10, 20), RULE.levels, strict=True)]
    for n, seeds in enumerate((5, 10, 20)):
        assert under((RULE,), seeds).p == pytest.approx(min(1, *scaled[: n + 1]), abs=1e-12)


def test_the_interval_is_that_of_its_look() -> None:
    for seeds, level in zip((5, 10, 20), RULE.levels, strict=True):
        got, plain = under((RULE,), seeds), under((), seeds)
        assert plain.se is not None
        assert plain.df is not None
        half = stats.t.ppf(1 - level / 2, plain.df) * plain.se
        assert (got.low, got.high) == pytest.approx((got.difference - half, got.difference + half))
        assert got.level == level
        assert got.difference == plain.difference


def test_seeds_that_are_no_look_have_the_p_of_the_looks_among_them() -> None:
    seven = under((RULE,), 7)
    assert seven.p == under((RULE,), 5).p
    assert seven.level == min(RULE.levels)
    others = replace(RULE, seeds=tuple(range(100, 120)))
    none = under((others,), 10)
    assert none.p == pytest.approx(min(1, fixed_p(10) * 0.05 / min(RULE.levels)))


def test_of_several_rules_the_most_cautious_counts() -> None:
    late = LookRule("late", tuple(range(20)), (10, 20), (0.049, 0.001))
    both = under((RULE, late), 10)
    assert both.p == max(under((RULE,), 10).p or 0, under((late,), 10).p or 0)
    assert both.level == min(RULE.levels[1], 0.049)
    assert level_of((), range(10)) == 0.05


def test_without_a_rule_nothing_changes() -> None:
    assert under((), 20) == pair_of(A, B)


def test_a_contrast_without_p_gets_none() -> None:
    found = under((RULE,), 3)
    assert (found.p, found.level) == (None, min(RULE.levels))


def test_the_smallest_detectable_difference_is_at_the_level_of_the_look() -> None:
    ((plain,), (ruled,)) = (adjust([under(rules, 10)]) for rules in ((), (RULE,)))
    assert plain.smallest_detectable is not None
    assert ruled.smallest_detectable is not None
    assert ruled.smallest_detectable > plain.smallest_detectable


def test_common_seeds() -> None:
    still = Outcomes(np.ones((1, 40), dtype=bool), (None,), GROUPS)
    assert common_seeds((A, on_seeds(B, (3, 4, 9)))) == (3, 4, 9)
    assert common_seeds((A, still)) == A.seeds
    assert common_seeds((still, still)) == (None,)
    assert on_seeds(still, (3,)) is still


@pytest.mark.parametrize(
    "data",
    [
        {"sizes": (10, 5)}, {"sizes": ()}, {"levels": (0.01, 0.04)}, {"levels": (0.0, 0.01, 0.04)},
        {"sizes": (5, 10, 21)},
    ],
)  # fmt: skip
def test_a_rule_that_is_none_is_refused(data: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match="no rule has looks"):
        replace(RULE, **data)


def looked(rows: list[Outcomes], rule: LookRule) -> tuple[list[float], list[float], float]:
    """Takes looks until every pair is decided or the seeds are used: the sequential p of all pairs,
    the smallest p of fixed seeds among the looks, and the share of intervals that hold 0.
    """
    pairs, naive = list(combinations(range(len(rows)), 2)), [1.0] * 99
    found: list[Contrast] = []
    for size in rule.sizes:
        seen: Seeds = range(size)
        cut = [on_seeds(o, seen) for o in rows]

        def at(i: int, j: int, s: Seeds, cut: list[Outcomes] = cut) -> Contrast:
            return pair_of(on_seeds(cut[i], s), on_seeds(cut[j], s))

        fixed = [pair_of(cut[i], cut[j]) for i, j in pairs]
        naive = [min(n, c.p or 0.0) for n, c in zip(naive, fixed, strict=False)]
        found = [
            sequential(lambda s, i=i, j=j: at(i, j, s), c, seen, (rule,))  # type: ignore[misc]
            for (i, j), c in zip(pairs, fixed, strict=True)
        ]
        if all(p is not None and p <= 0.05 for p in holm([c.p for c in found])):
            break
    covers = np.mean([(c.low or 0) <= 0 <= (c.high or 0) for c in found])
    return [1.0 if c.p is None else c.p for c in found], naive, float(covers)


@pytest.mark.parametrize("world", [WORLDS["items decide"], WORLDS["seeds decide"], World()],
                         ids=["items", "seeds", "both"])  # fmt: skip
def test_equal_rows_are_told_apart_as_rarely_as_the_level_says(world: World) -> None:
    """4 equal rows, looks at 5, 10 and 20 seeds; benchmarks/settle.py has the long form."""
    rng, runs = np.random.default_rng(30), 80
    family = bare = 0
    pair, covered = [], []
    for _ in range(runs):
        x_KSN, groups_N = world.draw(rng, 20, gains=(0.0,) * 4)
        p, naive, covers = looked([trained(x_SN, groups_N) for x_SN in x_KSN], RULE)
        family += min(q for q in holm(p) if q is not None) <= 0.05
        bare += min(q for q in holm(naive) if q is not None) <= 0.05
        pair.append(np.mean(np.array(p) <= 0.05))
        covered.append(covers)
    assert family / runs <= CEILING_FAMILY
    assert np.mean(pair) <= CEILING_05
    assert np.mean(covered) >= 0.93
    assert bare >= family
