"""The contrasts of a leaderboard: all pairs of rows, and the families in which p is adjusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from harness.core.outcomes import Contrast
from harness.report.model.entry import DONE, FAILED, MISSING, Entry
from harness.report.model.labels import Column
from harness.report.model.looks import Cut, in_looks
from harness.stats import family, pairwise

ESTIMAND = "E2"

Entries = Mapping[tuple[str, Column], Entry]


@dataclass(frozen=True)
class ColumnContrast:
    """A contrast in its column, with the family in which its p was adjusted and its size m."""

    contrast: Contrast
    column: Column
    family: str
    m: int


@dataclass(frozen=True)
class ColumnPairs:
    """All pairs of the rows of one column."""

    compared: tuple[Contrast, ...]  # p not adjusted
    waiting: tuple[tuple[str, str], ...]  # pairs of rows that lack seeds and will be compared

    def adjusted(self) -> list[Contrast]:
        """Adjusted in the family of the column."""
        return adjust(self.compared, len(self.waiting))


def column_pairs(
    rows: Sequence[str], column: Column, entries: Entries, reference: str | None
) -> ColumnPairs:
    """The pairs of rows that have the same test set; a reference is always the second of its pair.

    Rows on different test sets are not compared: two-way random effects pair items.
    """
    compared = []
    for first, second in combinations(rows, 2):
        a, b = (second, first) if first == reference else (first, second)
        of_a, of_b = entries[a, column], entries[b, column]
        if of_a.outcomes is None or of_b.outcomes is None or of_a.test != of_b.test:
            continue
        compared.append(
            pairwise.contrast(of_a.outcomes, of_b.outcomes, name_a=a, name_b=b, estimand=ESTIMAND)
        )
    planned = [r for r in rows if entries[r, column].status in (DONE, MISSING, FAILED)]
    incomplete = {r for r in planned if entries[r, column].blocks}
    waiting = [pair for pair in combinations(planned, 2) if incomplete & set(pair)]
    return ColumnPairs(_in_looks(compared, rows, column, entries, reference), tuple(waiting))


def _in_looks(
    compared: Sequence[Contrast],
    rows: Sequence[str],
    column: Column,
    entries: Entries,
    reference: str | None,
) -> tuple[Contrast, ...]:
    """With the p of a sequential rule, where Records were gathered under one."""

    def again(cut: Cut) -> tuple[Contrast, ...]:
        fewer = {(row, column): cut(entries[row, column]) for row in rows}
        return column_pairs(rows, column, fewer, reference).compared

    return in_looks(compared, lambda row: (entries[row, column],), again)


def all_pairs(pairs: Mapping[Column, ColumnPairs], family_name: str) -> tuple[ColumnContrast, ...]:
    """Every pair of every column, adjusted over the whole table if that is the task's family, else
    within its column: `family: reference` adjusts only the contrasts with the reference.
    """
    if family_name != "table":
        return tuple(
            ColumnContrast(c, column, "column", _size(adjusted, len(of_column.waiting)))
            for column, of_column in pairs.items()
            for adjusted in [of_column.adjusted()]
            for c in adjusted
        )
    columns = [column for column, of_column in pairs.items() for _ in of_column.compared]
    waiting = sum(len(of_column.waiting) for of_column in pairs.values())
    adjusted = adjust([c for of_column in pairs.values() for c in of_column.compared], waiting)
    m = _size(adjusted, waiting)
    return tuple(
        ColumnContrast(c, column, "table", m) for column, c in zip(columns, adjusted, strict=True)
    )


def with_reference(
    pairs: Mapping[Column, ColumnPairs],
    every_pair: Sequence[ColumnContrast],
    reference: str | None,
    family_name: str,
) -> tuple[ColumnContrast, ...]:
    """Every row minus the reference, adjusted in the task's family."""
    if reference is None:
        return ()
    if family_name != "reference":
        # The family is larger than these contrasts, so they keep the p that they have in it.
        return tuple(c for c in every_pair if c.contrast.b == reference)
    out = []
    for column, of_column in pairs.items():
        waiting = sum(reference in pair for pair in of_column.waiting)
        adjusted = adjust([c for c in of_column.compared if c.b == reference], waiting)
        m = _size(adjusted, waiting)
        out += [ColumnContrast(c, column, "reference", m) for c in adjusted]
    return tuple(out)


def verdicts(
    rows: Sequence[str], pairs: Mapping[Column, ColumnPairs], entries: Entries
) -> tuple[frozenset[tuple[str, Column]], dict[tuple[str, Column], tuple[int, int]]]:
    """Bold entries and rank intervals. Both use all pairs of a column, whatever the task's family:
    a rank is about every other row, not about the reference alone.
    """
    bold: set[tuple[str, Column]] = set()
    ranks: dict[tuple[str, Column], tuple[int, int]] = {}
    for column, of_column in pairs.items():
        # A row that lacks seeds may still be the best one: no row is bold before it is done.
        if any(entries[row, column].blocks for row in rows):
            continue
        means = {r: e.mean for r in rows if (e := entries[r, column].estimate) is not None}
        if not means:
            continue
        labels, adjusted = list(means), of_column.adjusted()
        # Rows that share the highest mean are all "best": see tied_with_best.
        best = family.tied_with_best(labels, list(means.values()), adjusted)
        bold |= {(row, column) for row in best}
        intervals = family.rank_intervals(labels, adjusted)
        ranks |= {(row, column): interval for row, interval in intervals.items()}
    return frozenset(bold), ranks


def adjust(contrasts: Sequence[Contrast], waiting: int) -> list[Contrast]:
    """Holm's correction over the planned family.

    A comparison that waits for seeds counts in m with p = 1. If m grew as cells come in, an
    adjusted p would rise and a significant difference could be lost although its data are the same.
    """
    held = [Contrast("", "", 0, None, None, 1.0, None, 0, 0, 0, ESTIMAND, "")] * waiting
    return family.adjust([*contrasts, *held])[: len(contrasts)]


def _size(contrasts: Iterable[Contrast], waiting: int) -> int:
    """The size m of a family; 0 where nothing in it was tested."""
    tested = sum(c.p is not None for c in contrasts)
    return tested + waiting if tested else 0
