"""Two rows, two cells, two runs folders or two csv files: what can be paired, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from harness.core.looks import LookRule
from harness.core.outcomes import Contrast, Outcomes
from harness.report.model.looks import in_looks_of_pair
from harness.stats import equivalence, family, holm, pairwise
from harness.stats.across import Across
from harness.stats.clusters import count_groups
from harness.stats.over_sets import gated
from harness.stats.seed_values import Values, contrast_of_values
from harness.stats.sequential import Seeds, sequential

HIGHER, LOWER, UNDECIDED, DESCRIPTIVE = "a is higher", "b is higher", "undecided", "descriptive"
SAME = "equal on every item and seed"


@dataclass(frozen=True)
class Runs:
    """The runs of one configuration: accuracy by seed, and outcomes where they are kept."""

    top1: Mapping[int | None, float]
    outcomes: Outcomes | None = field(default=None, compare=False, repr=False)
    test: str | None = None  # its test set; None where it is not known
    items: int | None = None
    rules: tuple[LookRule, ...] = ()  # under which its seeds were added


@dataclass(frozen=True)
class Means:
    """The contrast of two means over data sets, with wins, ties and losses."""

    contrast: Contrast
    tally: Across
    over: str


@dataclass(frozen=True)
class Pair:
    """What is compared: two configurations, and where."""

    where: str
    name_a: str
    name_b: str
    a: Runs
    b: Runs
    means: Means | None = None  # of means over data sets


@dataclass(frozen=True)
class Comparison:
    """Two means (fractions) with their contrast, adjusted over all comparisons, and a verdict."""

    where: str
    mean_a: float
    mean_b: float
    contrast: Contrast
    m: int
    verdict: str
    over: str | None = None  # of a mean, what it is of: `3 data sets`


def compare(pairs: Sequence[Pair], margin: float | None = None) -> list[Comparison]:
    """Every pair with the test that its data allow; Holm's correction over all of them.

    Outcomes on one test set: the test of a leaderboard. Else accuracies by seed: see
    `contrast_of_values`. `margin` (a fraction) adds equivalence to the verdicts.
    """
    adjusted = family.adjust([_contrast(pair, len(pairs)) for pair in pairs], margin)
    m = sum(c.p is not None for c in adjusted)
    return [
        Comparison(p.where, *_means(p, c), c, m, _verdict(p, c), _over(p))
        for p, c in zip(pairs, adjusted, strict=True)
    ]


def _over(pair: Pair) -> str | None:
    return None if pair.means is None else pair.means.over


def _contrast(pair: Pair, m: int) -> Contrast:
    """`m` is the number of comparisons: few data sets have no p among many."""
    a, b = pair.a, pair.b
    if pair.means is not None:
        return gated(pair.means.contrast, pair.means.tally, m)
    if a.outcomes is not None and b.outcomes is not None and a.test == b.test:
        test = partial(pairwise.contrast, name_a=pair.name_a, name_b=pair.name_b)
        return in_looks_of_pair(test, a.outcomes, b.outcomes, (*a.rules, *b.rules))
    groups = 0 if a.outcomes is None else count_groups(a.outcomes.groups_N)
    like = Contrast(
        pair.name_a, pair.name_b, 0.0, None, None, None, None, 0, a.items or 0, groups, "E1", "none"
    )
    # Without a test set only the number of items may say that they are others.
    same_items = a.test == b.test and a.items == b.items

    def on(seeds: Seeds | None) -> Contrast:
        of_a, of_b = _on_seeds(a.top1, seeds), _on_seeds(b.top1, seeds)
        return contrast_of_values(of_a, of_b, like, same_items=same_items)

    common = [seed for seed in a.top1 if seed in b.top1]
    return sequential(on, on(None), common, (*a.rules, *b.rules))


def _on_seeds(top1: Values, seeds: Seeds | None) -> Values:
    if seeds is None or set(top1) == {None}:
        return top1
    return {seed: value for seed, value in top1.items() if seed in seeds}


def _means(pair: Pair, c: Contrast) -> tuple[float, float]:
    """On the seeds that are compared, so that they differ by the difference."""
    a, b = pair.a.top1, pair.b.top1
    common = [seed for seed in a if seed in b]
    if c.seeds == len(common) and common:
        a, b = ({seed: x[seed] for seed in common} for x in (a, b))
    mean_a, mean_b = (float(np.mean(list(x.values()))) for x in (a, b))
    return mean_a, mean_b


def _verdict(pair: Pair, c: Contrast) -> str:
    if _equal(pair):
        return SAME
    if found := equivalence.verdict(c):
        return f"{_direction(c)}, {found}" if found == equivalence.BOTH else (
            found if found != equivalence.DIFFERENT else _direction(c))  # fmt: skip
    if c.p_adjusted is None:
        return DESCRIPTIVE
    return _direction(c) if c.p_adjusted <= holm.ALPHA else UNDECIDED


def _direction(c: Contrast) -> str:
    return HIGHER if c.difference > 0 else LOWER


def _equal(pair: Pair) -> bool:
    a, b = pair.a.outcomes, pair.b.outcomes
    return (
        a is not None and b is not None and pair.a.test == pair.b.test and a.seeds == b.seeds
        and np.array_equal(a.correct_SN, b.correct_SN)
    )  # fmt: skip
