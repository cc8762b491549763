"""Screens of a study: every row before training, and whether that orders rows as training does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.cells import Cell
from harness.core.protocols.screen import Screen, Screened
from harness.report.model.labels import Column, TableLayout, lay_out
from harness.stats.rank_correlation import (
    FEWEST,
    ColumnRanks,
    RankCorrelation,
    kendall,
    spearman,
)
from harness.task.schema import Task

#: Values that agree to so many decimals are equal: a rotation keeps the CKA, but for rounding.
EXACT = 6
#: Mean correlations that differ by less are equal: equal orders may be summed up differently.
ROUNDING = 1e-9


@dataclass(frozen=True)
class PlannedCell:
    """A cell with its key, what was measured of it, and its top-1 accuracy (None: not known)."""

    cell: Cell
    key: str
    screened: Screened
    top1: float | None


@dataclass(frozen=True)
class Candidate:
    """A row in a column: means over its seeds. A value is None unless every seed has it."""

    row: str
    column: Column
    values: Mapping[str, float | None]
    top1: float | None
    seeds: int
    samples: str  # support | validation; empty where nothing was measured
    own: bool  # W is made of the samples that it is measured on
    why: str  # why nothing was measured


@dataclass(frozen=True)
class Agreement:
    """How a screen orders the rows of a column, against their accuracy after training.

    `regret` is what is lost by training the row that it ranks first: the best row's accuracy minus
    that of this one (a fraction), the mean over columns.
    """

    spearman: RankCorrelation
    kendall: RankCorrelation
    regret: float


@dataclass(frozen=True)
class Screening:
    """The screens of a study; `titles` and `units` by the name of a screen. `agreement` lacks the
    screens whose agreement with the outcome is not defined: too few rows have one.
    """

    task: Task
    titles: Mapping[str, str]
    units: Mapping[str, str]
    cells: tuple[tuple[str, Column, PlannedCell], ...]
    candidates: tuple[Candidate, ...]
    agreement: Mapping[str, Agreement]

    @property
    def columns(self) -> tuple[Column, ...]:
        """In the order of the leaderboard."""
        return tuple(dict.fromkeys(c.column for c in self.candidates))

    def ranked(self, column: Column, screen: str) -> list[Candidate]:
        """The rows of a column, the highest value first; those without one last."""

        def order(candidate: Candidate) -> tuple[bool, float]:
            value = candidate.values.get(screen)
            return value is None, -(value or 0.0)

        return sorted((c for c in self.candidates if c.column == column), key=order)


def build_screening(
    task: Task,
    cells: Sequence[PlannedCell],
    infeasible: Sequence[Cell],
    screens: Mapping[str, Screen],
) -> Screening:
    """Rows and columns are those of the leaderboard.

    Raises UnknownName for a row or column of the task's report that is no axis.
    """
    layout = lay_out(task.report, [c.cell for c in cells], infeasible)
    candidates = _candidates(layout, cells, screens)
    found = {name: _agreement(candidates, name) for name in screens}
    return Screening(
        task=task,
        titles={name: screen.TITLE for name, screen in screens.items()},
        units={name: screen.UNIT for name, screen in screens.items()},
        cells=tuple((*layout.place_of(c.cell), c) for c in cells),
        candidates=candidates,
        agreement={name: agreement for name, agreement in found.items() if agreement is not None},
    )


def best_screen(studies: Sequence[Screening]) -> str | None:
    """The first of `best_screens`; None without any."""
    return next(iter(best_screens(studies)), None)


def best_screens(studies: Sequence[Screening]) -> list[str]:
    """The screens with the highest Spearman correlation, the mean over studies, of those that every
    study has: several where they are equal, as two that order all rows alike. Empty without any.
    """
    names = [n for n in studies[0].titles if all(n in study.agreement for study in studies)]
    means = {
        name: float(np.mean([study.agreement[name].spearman.mean for study in studies]))
        for name in names
    }
    return [name for name in names if means[name] > max(means.values()) - ROUNDING]


def _candidates(
    layout: TableLayout, cells: Iterable[PlannedCell], screens: Iterable[str]
) -> tuple[Candidate, ...]:
    names = list(screens)
    places: dict[tuple[str, Column], list[PlannedCell]] = {}
    for planned in cells:
        places.setdefault(layout.place_of(planned.cell), []).append(planned)
    ordered = [(row, column) for column in layout.columns for row in layout.rows]
    return tuple(
        _candidate(row, column, places[row, column], names)
        for row, column in ordered
        if (row, column) in places
    )


def _candidate(
    row: str, column: Column, seeds: Sequence[PlannedCell], names: Iterable[str]
) -> Candidate:
    screened = [c.screened for c in seeds]
    return Candidate(
        row, column,
        values={name: _mean([s.values.get(name) for s in screened]) for name in names},
        top1=_mean([c.top1 for c in seeds]),
        seeds=len(seeds),
        samples=screened[0].samples,
        own=any(s.own for s in screened),
        why=next((s.why for s in screened if s.why), ""),
    )  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _agreement(candidates: Sequence[Candidate], name: str) -> Agreement | None:
    """Without rows that are made of the samples they are measured on."""
    numbers = {row: i for i, row in enumerate(dict.fromkeys(c.row for c in candidates))}
    by_column: dict[Column, list[tuple[float, float, int]]] = {}
    for c in candidates:
        value = c.values[name]
        if value is not None and c.top1 is not None and not c.own:
            place = (round(value, EXACT), c.top1, numbers[c.row])
            by_column.setdefault(c.column, []).append(place)
    ranks = [
        ColumnRanks(*(np.array(each) for each in zip(*rows, strict=True)))
        for rows in by_column.values()
    ]
    rho, tau = spearman(ranks), kendall(ranks)
    if rho is None or tau is None:
        return None
    return Agreement(
        rho, tau, float(np.mean([_regret(r) for r in ranks if len(r.number_K) >= FEWEST]))
    )


def _regret(ranks: ColumnRanks) -> float:
    """Where several rows share the highest value: the mean over them."""
    first_K = ranks.number_K == ranks.number_K.max()
    return float(ranks.outcome_K.max() - ranks.outcome_K[first_K].mean())
