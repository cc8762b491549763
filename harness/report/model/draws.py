"""A study repeated over class draws: do the draws agree?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast
from harness.report.model.labels import Column
from harness.stats import family, holm
from harness.stats.corrected_t import CorrectedT, corrected_t

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

#: Differences of fractions closer to 0 than this have no sign.
_ZERO = 1e-9


@dataclass(frozen=True)
class DrawSummary:
    """One row minus the reference at one column label, by class draw (fractions)."""

    label: str
    a: str
    b: str
    contrasts: Mapping[int, Contrast]  # by class seed; p adjusted in the declared family
    planned: int  # draws that the study has
    same_sign: int  # draws whose difference has the sign of most draws
    significant: int  # draws with adjusted p at most 0.05 and that sign
    over_draws: CorrectedT | None  # None where a draw is missing, or all draw the same classes


def summarise_draws(
    against: Mapping[Column, Sequence[Contrast]], classes: Mapping[Column, frozenset[str]]
) -> tuple[DrawSummary, ...]:
    """Differences from the reference over class draws.

    p is adjusted in the family that the task declares. `classes` are the class names of each
    column: draws that share classes are not independent, and the test over draws corrects for their
    mean overlap.
    """
    by_row: dict[tuple[str, str, str], dict[int, Contrast]] = {}
    for column, contrasts in against.items():
        for c in contrasts:
            assert column.draw is not None
            by_row.setdefault((column.label, c.a, c.b), {})[column.draw] = c
    overlap = {
        label: _overlap([names for c, names in classes.items() if c.label == label])
        for label in {column.label for column in against}
    }
    return tuple(
        _summary(label, a, b, by_draw, overlap[label], sum(c.label == label for c in against))
        for (label, a, b), by_draw in by_row.items()
    )


def _summary(
    label: str, a: str, b: str, by_draw: dict[int, Contrast], overlap: float, planned: int
) -> DrawSummary:
    d_J = np.array([c.difference for c in by_draw.values()])
    above = [c for c in by_draw.values() if c.difference > _ZERO]
    below = [c for c in by_draw.values() if c.difference < -_ZERO]
    agree = max(above, below, key=len)
    # Without one of the draws, or where all draws are of the same classes, there is no mean over
    # draws to test.
    complete = len(by_draw) == planned and overlap < 1
    return DrawSummary(
        label=label,
        a=a,
        b=b,
        contrasts=dict(sorted(by_draw.items())),
        planned=planned,
        same_sign=len(agree),
        significant=sum(family.sign(c) != 0 for c in agree),
        # The correction n_test/n_train of Nadeau and Bengio is rho/(1 - rho), where rho is the
        # correlation of two splits: here the share of classes that two draws have in common.
        over_draws=_over_draws(d_J, overlap, list(by_draw.values())) if complete else None,
    )


def _over_draws(d_J: FloatArray, overlap: float, contrasts: Sequence[Contrast]) -> CorrectedT:
    """Where seeds were added under a sequential rule, at the level of the last look."""
    level = min(c.level for c in contrasts)
    ratio = max(overlap / (1 - overlap), _ZERO)
    found = corrected_t(d_J, ratio, confidence=1 - level)
    if found.t is None or level == holm.ALPHA:
        return found
    p = min(1.0, found.t.p * holm.ALPHA / level)
    return replace(found, t=replace(found.t, p=p))


def _overlap(draws: Sequence[frozenset[str]]) -> float:
    """Mean share of classes that two draws have in common."""
    shares = [share_of_classes(a, b) for a, b in combinations(draws, 2)]
    return float(np.mean(shares)) if shares else 0.0


def share_of_classes(a: frozenset[str], b: frozenset[str]) -> float:
    """The share of the smaller draw's classes that the other one has as well."""
    return len(a & b) / max(1, min(len(a), len(b)))
