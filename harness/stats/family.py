"""Contrasts that are claimed together: adjusted p, rank intervals, ties with the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.core.outcomes import Contrast
from harness.stats.equivalence import equivalence_p
from harness.stats.holm import ALPHA, holm
from harness.stats.power import smallest_detectable


def adjust(contrasts: Sequence[Contrast], margin: float | None = None) -> list[Contrast]:
    """The contrasts with Holm's p and the smallest detectable difference at level/m.

    The sequence is the family: m is how many of it have a p. Which contrasts form one (a column,
    a reference, a table) is the caller's business. With a `margin` (a fraction) the p of
    equivalence are adjusted too, in the same family: of all its pairs, a false "equivalent" is as
    rare as a false difference. A pair may be given both verdicts, so the two have a level each.

    Raises ValueError if a contrast was adjusted before, or for a margin that is not positive.
    """
    if any(c.p_adjusted is not None for c in contrasts):
        raise ValueError("a contrast belongs to one family: it was adjusted before")
    if margin is not None and not margin > 0:
        raise ValueError(f"{margin} is no margin")
    adjusted = holm([c.p for c in contrasts])
    inside = holm([_of_equivalence(c, margin) for c in contrasts])
    m = sum(c.p is not None for c in contrasts)
    return [
        replace(c, p_adjusted=p, p_equivalent=e, smallest_detectable=_smallest(c, m))
        for c, p, e in zip(contrasts, adjusted, inside, strict=True)
    ]


def sign(c: Contrast) -> int:
    """1 or -1: a is significantly above or below b in its family; 0: this is not shown."""
    if c.p_adjusted is None or c.p_adjusted > ALPHA or not c.difference:
        return 0
    return 1 if c.difference > 0 else -1


def rank_intervals(
    labels: Sequence[str], contrasts: Sequence[Contrast]
) -> dict[str, tuple[int, int]]:
    """The ranks each of k labels may have: 1 + number better to k - number worse, both tested.

    Nothing if there are fewer than two labels or any pair of them has no p.

    Raises ValueError if the contrasts were not adjusted.
    """
    wins = _wins(labels, contrasts)
    if wins is None:
        return {}
    winners = [winner for winner, _ in wins]
    losers = [loser for _, loser in wins]
    k = len(labels)
    return {x: (1 + losers.count(x), k - winners.count(x)) for x in labels}


def tied_with_best(
    labels: Sequence[str], means: Sequence[float], contrasts: Sequence[Contrast]
) -> list[str]:
    """Labels, in their order, that are not separable from the highest mean; it is one of them.

    If several share the highest mean, a label separable from any of them is out. Nothing if there
    are fewer than two labels or any pair of them has no p.

    Raises ValueError if there is not one mean for each label or the contrasts were not adjusted.
    """
    mean = dict(zip(labels, means, strict=True))
    wins = _wins(labels, contrasts)
    if wins is None:
        return []
    best = [x for x in labels if mean[x] == max(means)]
    return [x for x in labels if not any({(x, y), (y, x)} & wins for y in best)]


def _of_equivalence(c: Contrast, margin: float | None) -> float | None:
    """A pair that has a test counts in the family, with p = 1 where it has no interval."""
    if margin is None or c.p is None:
        return None
    p = equivalence_p(c, margin)
    return 1.0 if p is None else min(1.0, p)


def _smallest(c: Contrast, m: int) -> float | None:
    if c.smallest_detectable is None or c.se is None or c.df is None:
        return c.smallest_detectable
    return smallest_detectable(c.se, c.df, alpha=c.level, m=m)


def _wins(labels: Sequence[str], contrasts: Sequence[Contrast]) -> set[tuple[str, str]] | None:
    """(winner, loser) of every pair that is separable; None if any pair cannot be judged."""
    if any(c.p is not None and c.p_adjusted is None for c in contrasts):
        raise ValueError("ranks need adjusted contrasts")
    inside = [c for c in contrasts if c.a in labels and c.b in labels and c.a != c.b]
    judged = {frozenset((c.a, c.b)) for c in inside}
    if len(labels) < 2 or len(judged) < len(labels) * (len(labels) - 1) // 2:
        return None
    wins = set()
    for c in inside:
        if c.p_adjusted is None:
            return None
        if direction := sign(c):
            wins.add((c.a, c.b) if direction > 0 else (c.b, c.a))
    return wins
