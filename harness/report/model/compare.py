"""Two rows, two cells, two runs folders or two csv files: what can be paired, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.core.outcomes import Contrast, Outcomes
from harness.stats import equivalence, family, pairwise
from harness.stats.clusters import count_groups
from harness.stats.seed_values import contrast_of_values

HIGHER, LOWER, UNDECIDED, DESCRIPTIVE = "a is higher", "b is higher", "undecided", "descriptive"
SAME = "equal on every item and seed"


@dataclass(frozen=True)
class Runs:
    """The runs of one configuration: accuracy by seed, and outcomes where they are kept."""

    top1: Mapping[int | None, float]
    outcomes: Outcomes | None = field(default=None, compare=False, repr=False)
    test: str | None = None  # its test set; None where it is not known
    items: int | None = None


@dataclass(frozen=True)
class Pair:
    """What is compared: two configurations, and where."""

    where: str
    name_a: str
    name_b: str
    a: Runs
    b: Runs


@dataclass(frozen=True)
class Comparison:
    """Two means (fractions) with their contrast, adjusted over all comparisons, and a verdict."""

    where: str
    mean_a: float
    mean_b: float
    contrast: Contrast
    m: int
    verdict: str


def compare(pairs: Sequence[Pair], margin: float | None = None) -> list[Comparison]:
    """Every pair with the test that its data allow; Holm's correction over all of them.

    Outcomes on one test set: the test of a leaderboard. Else accuracies by seed: see
    `contrast_of_values`. `margin` (a fraction) adds equivalence to the verdicts.
    """
    adjusted = family.adjust([_contrast(pair) for pair in pairs])
    m = sum(c.p is not None for c in adjusted)
    return [
        Comparison(p.where, *_means(p, c), c, m, _verdict(p, c, margin))
        for p, c in zip(pairs, adjusted, strict=True)
    ]


def _contrast(pair: Pair) -> Contrast:
    a, b = pair.a, pair.b
    if a.outcomes is not None and b.outcomes is not None and a.test == b.test:
        return pairwise.contrast(a.outcomes, b.outcomes, name_a=pair.name_a, name_b=pair.name_b)
    groups = 0 if a.outcomes is None else count_groups(a.outcomes.groups_N)
    like = Contrast(
        pair.name_a, pair.name_b, 0.0, None, None, None, None, 0, a.items or 0, groups, "E1", "none"
    )
    # Without a test set only the number of items may say that they are others.
    return contrast_of_values(
        a.top1, b.top1, like, same_items=a.test == b.test and a.items == b.items
    )


def _means(pair: Pair, c: Contrast) -> tuple[float, float]:
    """On the seeds that are compared, so that they differ by the difference."""
    a, b = pair.a.top1, pair.b.top1
    common = [seed for seed in a if seed in b]
    if c.seeds == len(common) and common:
        a, b = ({seed: x[seed] for seed in common} for x in (a, b))
    mean_a, mean_b = (float(np.mean(list(x.values()))) for x in (a, b))
    return mean_a, mean_b


def _verdict(pair: Pair, c: Contrast, margin: float | None) -> str:
    if _equal(pair):
        return SAME
    if margin is not None and (found := equivalence.verdict(c, margin)):
        return f"{_direction(c)}, {found}" if found == equivalence.BOTH else (
            found if found != equivalence.DIFFERENT else _direction(c))  # fmt: skip
    if c.p_adjusted is None:
        return DESCRIPTIVE
    return _direction(c) if c.p_adjusted <= family.ALPHA else UNDECIDED


def _direction(c: Contrast) -> str:
    return HIGHER if c.difference > 0 else LOWER


def _equal(pair: Pair) -> bool:
    a, b = pair.a.outcomes, pair.b.outcomes
    return (
        a is not None and b is not None and pair.a.test == pair.b.test and a.seeds == b.seeds
        and np.array_equal(a.correct_SN, b.correct_SN)
    )  # fmt: skip
