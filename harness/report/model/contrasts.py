"""The contrasts of a leaderboard, and its verdicts: all from the one family that is declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

from harness.core.outcomes import Contrast, Outcomes
from harness.report.model.entry import DONE, FAILED, MISSING, Entry
from harness.report.model.estimand import RANDOM_ITEMS, in_stats
from harness.report.model.labels import Column
from harness.report.model.looks import Cut, in_looks
from harness.stats import family
from harness.stats.all_pairs import contrasts
from harness.stats.moderated import share_seed_variance
from harness.task.schema import ReportModel

#: Values of report.family.
COLUMN, REFERENCE, TABLE = "column", "reference", "table"

Entries = Mapping[tuple[str, Column], Entry]


@dataclass(frozen=True, slots=True)
class ColumnContrast:
    """A contrast in its column, with the family in which its p was adjusted and its size m.

    A pair outside the declared family has family '' and m 0, and no adjusted p.
    """

    contrast: Contrast
    column: Column
    family: str
    m: int


@dataclass(frozen=True)
class Verdicts:
    """What the declared family decides. Bold and ranks need all pairs: `reference` has marks."""

    family: str  # column | reference | table; '' where there are no verdicts
    against: tuple[ColumnContrast, ...]  # every row minus the reference
    pairs: tuple[ColumnContrast, ...]  # all pairs, those of `against` included
    bold: frozenset[tuple[str, Column]]
    ranks: Mapping[tuple[str, Column], tuple[int, int]]
    marks: Mapping[tuple[str, Column], int]  # 1: significantly above the reference, -1: below
    reference: str | None = None
    margin: float | None = None  # of equivalence, a fraction

    def covers(self, pair: Iterable[str]) -> bool:
        """Whether a pair of rows belongs to the family."""
        return self.family != REFERENCE or self.reference in tuple(pair)

    def of(self, column: Column) -> list[ColumnContrast]:
        """The pairs of one column."""
        return self._by_column.get(column, [])

    @cached_property
    def _by_column(self) -> dict[Column, list[ColumnContrast]]:
        found: dict[Column, list[ColumnContrast]] = {}
        for c in self.pairs:
            found.setdefault(c.column, []).append(c)
        return found


@dataclass(frozen=True)
class ColumnPairs:
    """All pairs of the rows of one column."""

    compared: tuple[Contrast, ...]  # p not adjusted
    waiting: tuple[tuple[str, str], ...]  # pairs of rows that lack seeds and will be compared


def column_pairs(
    rows: Sequence[str], column: Column, entries: Entries, reference: str | None
) -> ColumnPairs:
    """The pairs of rows that have the same test set; a reference is always the second of its pair.

    Rows on different test sets are not compared: two-way random effects pair items.
    """
    compared = _compared(rows, column, entries, reference)
    planned = [r for r in rows if entries[r, column].status in (DONE, MISSING, FAILED)]
    incomplete = {r for r in planned if entries[r, column].blocks}
    waiting = [pair for pair in combinations(planned, 2) if incomplete & set(pair)]
    shared = share_seed_variance(compared)
    return ColumnPairs(_in_looks(shared, rows, column, entries, reference), tuple(waiting))


def _compared(
    rows: Sequence[str], column: Column, entries: Entries, reference: str | None
) -> list[Contrast]:
    """Pairs of rows, in the order of the rows; the tests of each estimand together."""
    of_estimand: dict[str, dict[str, Outcomes]] = {}
    for row in rows:
        entry = entries[row, column]
        if entry.outcomes is not None:
            of_estimand.setdefault(in_stats(entry.estimand), {})[row] = entry.outcomes
    pairs = [
        (second, first) if first == reference else (first, second)
        for first, second in combinations(rows, 2)
        if entries[first, column].outcomes is not None
        and entries[second, column].outcomes is not None
        and entries[first, column].test == entries[second, column].test
    ]
    found: dict[tuple[str, str], Contrast] = {}
    for estimand, outcomes in of_estimand.items():
        inside = [(a, b) for a, b in pairs if a in outcomes]
        found.update(zip(inside, contrasts(outcomes, inside, estimand=estimand), strict=True))
    return [found[pair] for pair in pairs]


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


@dataclass(frozen=True)
class Declared:
    """What a task says of its verdicts before it is run."""

    family: str  # column | reference | table
    reference: str | None
    margin: float | None = None  # of equivalence, a fraction

    @property
    def in_use(self) -> str:
        """The family; without a row of that name `reference` has nothing to compare."""
        return COLUMN if self.family == REFERENCE and self.reference is None else self.family


def declared_by(report: ReportModel, reference: str | None) -> Declared:
    """What a task declares, with the row that is its reference."""
    margin = None if report.margin is None else report.margin / 100
    return Declared(report.family, reference, margin)


def judge(
    rows: Sequence[str],
    pairs: Mapping[Column, ColumnPairs],
    entries: Entries,
    declared: Declared,
) -> Verdicts:
    """Every verdict of a table, all from the one family that the task declares.

    A pair outside the family has no adjusted p: were it adjusted in a family of its own, a page
    could say of the same two rows that they differ and that they do not.
    """
    name, reference = declared.in_use, declared.reference
    every_pair = _in_table(pairs, declared) if name == TABLE else _in_columns(pairs, declared)
    against = tuple(c for c in every_pair if reference is not None and c.contrast.b == reference)
    if name == REFERENCE:
        signs = {(c.contrast.a, c.column): family.sign(c.contrast) for c in against}
        marks = {place: sign for place, sign in signs.items() if sign}
        return Verdicts(
            name, against, every_pair, frozenset(), {}, marks, reference, declared.margin
        )
    bold, ranks = _ranked(rows, every_pair, entries)
    return Verdicts(name, against, every_pair, bold, ranks, {}, reference, declared.margin)


def without_any(verdicts: Verdicts) -> Verdicts:
    """No pair and no verdict."""
    return replace(verdicts, family="", against=(), pairs=(), bold=frozenset(), ranks={}, marks={})


def _in_columns(
    pairs: Mapping[Column, ColumnPairs], declared: Declared
) -> tuple[ColumnContrast, ...]:
    """Adjusted within each column: all of its pairs, or those with the reference."""
    name, reference = declared.in_use, declared.reference
    out = []
    for column, of_column in pairs.items():
        inside = [c for c in of_column.compared if name == COLUMN or c.b == reference]
        waiting = sum(name == COLUMN or reference in pair for pair in of_column.waiting)
        adjusted = {(c.a, c.b): c for c in adjust(inside, waiting, declared.margin)}
        m = _size(adjusted.values(), waiting)
        out += [
            ColumnContrast(adjusted[c.a, c.b], column, name, m)
            if (c.a, c.b) in adjusted
            else ColumnContrast(c, column, "", 0)
            for c in of_column.compared
        ]
    return tuple(out)


def _in_table(
    pairs: Mapping[Column, ColumnPairs], declared: Declared
) -> tuple[ColumnContrast, ...]:
    columns = [column for column, of_column in pairs.items() for _ in of_column.compared]
    waiting = sum(len(of_column.waiting) for of_column in pairs.values())
    compared = [c for of_column in pairs.values() for c in of_column.compared]
    adjusted = adjust(compared, waiting, declared.margin)
    m = _size(adjusted, waiting)
    return tuple(
        ColumnContrast(c, column, TABLE, m) for column, c in zip(columns, adjusted, strict=True)
    )


def _ranked(
    rows: Sequence[str], every_pair: Sequence[ColumnContrast], entries: Entries
) -> tuple[frozenset[tuple[str, Column]], dict[tuple[str, Column], tuple[int, int]]]:
    """Bold entries and rank intervals."""
    by_column: dict[Column, list[Contrast]] = {}
    for c in every_pair:
        by_column.setdefault(c.column, []).append(c.contrast)
    bold: set[tuple[str, Column]] = set()
    ranks: dict[tuple[str, Column], tuple[int, int]] = {}
    for column, of_column in by_column.items():
        # A row that lacks seeds may still be the best one: no row is bold before it is done.
        if any(entries[row, column].blocks for row in rows):
            continue
        means = {r: e.mean for r in rows if (e := entries[r, column].estimate) is not None}
        # Rows that share the highest mean are all "best": see tied_with_best.
        best = family.tied_with_best(list(means), list(means.values()), of_column)
        bold |= {(row, column) for row in best}
        intervals = family.rank_intervals(list(means), of_column)
        ranks |= {(row, column): interval for row, interval in intervals.items()}
    return frozenset(bold), ranks


def adjust(contrasts: Sequence[Contrast], waiting: int, margin: float | None) -> list[Contrast]:
    """Holm's correction over the planned family.

    A comparison that waits for seeds counts in m with p = 1. If m grew as cells come in, an
    adjusted p would rise and a significant difference could be lost although its data are the same.
    """
    held = [Contrast("", "", 0, None, None, 1.0, None, 0, 0, 0, RANDOM_ITEMS, "")] * waiting
    return family.adjust([*contrasts, *held], margin)[: len(contrasts)]


def outside(
    found: Sequence[ColumnContrast], waiting: int, margin: float | None
) -> list[ColumnContrast]:
    """Contrasts that a section of its own shows: those of the declared family keep their p, and the
    others, with those that wait for seeds, are adjusted among themselves.
    """
    without = [c for c in found if not c.family]
    adjusted = iter(adjust([c.contrast for c in without], waiting, margin))
    tested = sum(c.contrast.p is not None for c in without)
    m = tested + waiting if tested else 0
    return [c if c.family else replace(c, contrast=next(adjusted), m=m) for c in found]


def _size(contrasts: Iterable[Contrast], waiting: int) -> int:
    """The size m of a family; 0 where nothing in it was tested."""
    tested = sum(c.p is not None for c in contrasts)
    return tested + waiting if tested else 0
