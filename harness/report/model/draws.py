"""A study repeated over draws of classes: do the draws agree?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.core.outcomes import Contrast
from harness.report.model.labels import Column
from harness.stats import family
from harness.stats.corrected_t import CorrectedT, corrected_t

_ZERO = 1e-9


@dataclass(frozen=True)
class DrawSummary:
    """One row against the reference at one column label, draw by draw (fractions)."""

    label: str
    a: str
    b: str
    contrasts: Mapping[int, Contrast]  # by class seed; p adjusted within the draw's column
    planned: int  # draws that the study asks for
    same_sign: int  # draws whose difference has the sign that most of them have
    significant: int  # draws with adjusted p < 0.05 and that sign
    over_draws: CorrectedT | None  # None where a draw is missing, or all draw the same classes


def summarise_draws(
    against: Mapping[Column, Sequence[Contrast]], classes: Mapping[Column, frozenset[str]]
) -> tuple[DrawSummary, ...]:
    """Differences to the reference over class draws.

    The family is the rows against the reference inside one draw and column. `classes` holds the
    class names of each column: draws that share classes are not independent, and their mean
    overlap is what the test over draws corrects for.
    """
    found: dict[tuple[str, str, str], dict[int, Contrast]] = {}
    for column, contrasts in against.items():
        for c in family.adjust(contrasts):
            assert column.draw is not None
            found.setdefault((column.label, c.a, c.b), {})[column.draw] = c
    overlap = {
        label: _overlap([names for c, names in classes.items() if c.label == label])
        for label in {column.label for column in against}
    }
    return tuple(
        _summary(label, a, b, by_draw, overlap[label], sum(c.label == label for c in against))
        for (label, a, b), by_draw in found.items()
    )


def _summary(
    label: str, a: str, b: str, by_draw: dict[int, Contrast], overlap: float, planned: int
) -> DrawSummary:
    d_J = np.array([c.difference for c in by_draw.values()])
    above = [c for c in by_draw.values() if c.difference > _ZERO]
    below = [c for c in by_draw.values() if c.difference < -_ZERO]
    agree = max(above, below, key=len)
    complete = len(by_draw) == planned and overlap < 1
    return DrawSummary(
        label=label,
        a=a,
        b=b,
        contrasts=dict(sorted(by_draw.items())),
        planned=planned,
        same_sign=len(agree),
        significant=sum(c.p_adjusted is not None and c.p_adjusted < family.ALPHA for c in agree),
        # Nadeau and Bengio's n_test/n_train is rho/(1 - rho), with rho the part two splits share.
        over_draws=corrected_t(d_J, max(overlap / (1 - overlap), _ZERO)) if complete else None,
    )


def _overlap(draws: Sequence[frozenset[str]]) -> float:
    shares = [len(a & b) / max(1, min(len(a), len(b))) for a, b in combinations(draws, 2)]
    return float(np.mean(shares)) if shares else 0.0
