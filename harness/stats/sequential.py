"""Tests of numbers that were gathered under a sequential rule: more seeds where they decide.

The rule has looks at numbers of seeds that are fixed beforehand, each with a level of its own, and
the levels add up to that of the study (Bonferroni over looks). The items are the same at all looks,
so the looks depend on each other strongly; Bonferroni needs no assumption about that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import pairwise as neighbours

from harness.core.looks import LookRule
from harness.core.outcomes import Contrast, Outcomes
from harness.stats.equivalence import interval_at
from harness.stats.holm import ALPHA
from harness.stats.pairwise import LEAST_SEEDS

#: The name of the rule: of the level, a look has spent the cube of its share of all seeds.
CUBIC = "cube of the share of seeds"
#: With fewer seeds at the last look the test rejects too often in large families.
LEAST_BUDGET = 10
#: Looks before the last spend what they would with a budget of so many seeds, or of more.
FULL_BUDGET = 20

Seeds = Collection[int | None]


def make_rule(seeds: Sequence[int], most: int, *, alpha: float = ALPHA) -> LookRule:
    """Looks at the given seeds (at least five), twice as many, and so on up to `most`.

    A look with a share t of all seeds, and those before it, have spent alpha t^3 (Kim and DeMets,
    Biometrika 1987; close to O'Brien and Fleming): little is spent on few seeds, where two-way
    random effects reject too often in the tail. t is a share of at least 20 seeds, and the last
    look gets what remains. Further seeds are those after the largest.

    Raises ValueError if `most` adds no seed, or is below ten.
    """
    if most < LEAST_BUDGET or most <= len(seeds):
        raise ValueError(f"{most} seeds are no more than {max(len(seeds), LEAST_BUDGET - 1)}")
    sizes = [max(LEAST_SEEDS, len(seeds))]
    while sizes[-1] < most:
        sizes.append(min(most, 2 * sizes[-1]))
    beyond = max(seeds, default=-1) + 1
    further = range(beyond, beyond + most - len(seeds))
    spent = [alpha * (size / max(most, FULL_BUDGET)) ** 3 for size in sizes[:-1]]
    levels = [round(b - a, 12) for a, b in neighbours([0.0, *spent, alpha])]
    return LookRule(CUBIC, (*seeds, *further), tuple(sizes), tuple(levels))


def level_of(rules: Collection[LookRule], seeds: Seeds) -> float:
    """The level of the interval of numbers on these seeds: that of their look.

    Seeds that are not those of a look get the smallest level of the rule; ALPHA without a rule.
    """
    return min((_level(rule, seeds) for rule in rules), default=ALPHA)


def _level(rule: LookRule, seeds: Seeds) -> float:
    given = set(seeds)
    for look, level in enumerate(rule.levels):
        if set(rule.seeds_at(look)) == given:
            return level
    return min(rule.levels)


def sequential(
    at: Callable[[Seeds], Contrast | None], whole: Contrast, seeds: Seeds,
    rules: Collection[LookRule],
) -> Contrast:  # fmt: skip
    """A contrast of numbers that were gathered under rules, on the given common seeds.

    p is the smallest, over the looks so far, of p times ALPHA over the level of the look, so that
    under a true null hypothesis it is at most x with a chance of at most x. The interval is that of
    the last look at its level: with a chance of 95% all looks' intervals hold the true difference
    (repeated confidence intervals; Jennison and Turnbull, JRSS B 1989). Of several rules the most
    cautious one counts. `at` gives the contrast on fewer seeds; `whole` is not adjusted.
    """
    if not rules:
        return whole
    p = [_sequential_p(at, whole, seeds, rule) for rule in rules]
    level = level_of(rules, seeds)
    bounds = interval_at(whole, 1 - level) if whole.low is not None else None
    low, high = bounds or (whole.low, whole.high)
    given = [value for value in p if value is not None]
    q = max(given) if whole.p is not None and given else None
    return replace(whole, p=q, low=low, high=high, level=level)


def _sequential_p(
    at: Callable[[Seeds], Contrast | None], whole: Contrast, seeds: Seeds, rule: LookRule
) -> float | None:
    looks = {
        rule.seeds_at(look): level
        for look, level in enumerate(rule.levels)
        if set(rule.seeds_at(look)) <= set(seeds)
    }
    if not looks:
        return None if whole.p is None else min(1.0, whole.p * ALPHA / min(rule.levels))
    found = [
        (whole if set(of_look) == set(seeds) else at(of_look), level)
        for of_look, level in looks.items()
    ]
    p = [c.p * ALPHA / level for c, level in found if c is not None and c.p is not None]
    return min(1.0, *p) if p else None


def common_seeds(rows: Collection[Outcomes]) -> tuple[int | None, ...]:
    """The seeds that all rows have; deterministic rows have every seed, and (None,) alone."""
    drawn = [o.seeds for o in rows if o.seeds != (None,)]
    if not drawn:
        return (None,)
    return tuple(seed for seed in drawn[0] if all(seed in other for other in drawn))


def on_seeds(o: Outcomes, seeds: Seeds) -> Outcomes:
    """The outcomes on these seeds alone; those of a deterministic row as they are."""
    if o.seeds == (None,):
        return o
    kept = [n for n, seed in enumerate(o.seeds) if seed in seeds]
    return Outcomes(o.correct_SN[kept], tuple(o.seeds[n] for n in kept), o.groups_N)
