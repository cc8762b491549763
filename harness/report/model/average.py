"""`report.average`: the mean of every row over data sets, with its tests.

these_datasets: a fixed benchmark; what is random are seeds and items. new_datasets: the data sets
are the sample. See harness/stats/over_sets.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast
from harness.core.samples import TestSet
from harness.report.model.contrasts import (
    ColumnContrast,
    ColumnPairs,
    Entries,
    all_pairs,
    verdicts,
    with_reference,
)
from harness.report.model.entry import DONE, FAILED, MISSING
from harness.report.model.labels import Column, TableLayout
from harness.report.model.looks import Cut, in_looks
from harness.report.model.mean_rows import (
    NEW,
    MeanSource,
    both_of,
    mean_contrast,
    mean_entry,
    runs_of,
    values_of,
)
from harness.report.model.units import Units, mean_columns
from harness.stats.across import Across, Friedman, across, friedman
from harness.stats.family import ALPHA
from harness.stats.over_sets import gated
from harness.stats.profiles import Improvement, improvement
from harness.task.schema import ReportModel

if TYPE_CHECKING:
    from harness.core.samples import FloatArray


@dataclass(frozen=True)
class Average:
    """Columns of means, as a Table has its columns. Fractions."""

    kind: str  # these_datasets | new_datasets
    units: Mapping[Column, Units]
    entries: Entries
    against: tuple[ColumnContrast, ...]
    pairs: tuple[ColumnContrast, ...]
    bold: frozenset[tuple[str, Column]]
    ranks: Mapping[tuple[str, Column], tuple[int, int]]
    values: Mapping[tuple[str, Column], FloatArray]  # of rows with a mean: (M,), one a unit
    tallies: Mapping[tuple[Column, str, str], Across]  # by (column, a, b)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of means."""
        return tuple(self.units)


def average(
    report: ReportModel,
    layout: TableLayout,
    entries: Entries,
    tests: Mapping[str, TestSet],
    reference: str | None,
) -> Average | None:
    """The means of a table; None where the task asks for none, or nothing has several data sets."""
    if report.average is None:
        return None
    units = mean_columns(layout, entries, tests)
    if not units:
        return None
    source = MeanSource(layout.rows, entries, tests, report.average)
    means = {(r, c): mean_entry(source, r, units[c]) for c in units for r in layout.rows}
    raw: dict[Column, ColumnPairs] = {}
    tallies: dict[tuple[Column, str, str], Across] = {}
    for column, of_column in units.items():
        raw[column], found = _pairs(source, of_column, means, column, reference)
        tallies |= {(column, a, b): tally for (a, b), tally in found.items()}
    pairs = {c: _gated(p, _planned(p), tallies, c) for c, p in raw.items()}
    every = pairs
    if report.family == "table":
        total = sum(_planned(p) for p in raw.values())
        every = {c: _gated(p, total, tallies, c) for c, p in raw.items()}
    every_pair = all_pairs(every, report.family)
    bold, ranks = verdicts(layout.rows, pairs, means)
    return Average(
        kind=report.average,
        units=units,
        entries=means,
        against=_against(raw, tallies, every_pair, reference, report.family),
        pairs=every_pair,
        bold=bold,
        ranks=ranks,
        values={
            (r, c): values_of(entries, r, units[c])
            for (r, c), e in means.items()
            if e.status == DONE
        },
        tallies=tallies,
    )


def friedman_of(found: Average, column: Column) -> Friedman | None:
    """The omnibus test of a column of means over independent data sets; None where it has none."""
    values_KM = [value_M for (_, c), value_M in found.values.items() if c == column]
    if found.kind != NEW or found.units[column].overlap > 0 or len(values_KM) < 3:
        return None
    return friedman(np.array(values_KM).T)


def improvement_over(
    entries: Entries, found: Average, column: Column, row: str, base: str
) -> Improvement:
    """The probability that a run of a row is ahead of a run of another; `entries` of the table."""
    units = found.units[column].of
    return improvement(
        [runs_of(entries, row, unit) for unit in units],
        [runs_of(entries, base, unit) for unit in units],
        new_datasets=found.kind == NEW and found.units[column].overlap == 0,
    )


def separable_pairs(found: Average, column: Column) -> set[frozenset[str]] | None:
    """Pairs of rows that differ significantly in a column of means; None if one has no p."""
    pairs = [c.contrast for c in found.pairs if c.column == column]
    if not pairs or any(c.p_adjusted is None for c in pairs):
        return None
    return {frozenset((c.a, c.b)) for c in pairs if (p := c.p_adjusted) is not None and p <= ALPHA}


def _pairs(
    source: MeanSource, units: Units, means: Entries, column: Column, reference: str | None
) -> tuple[ColumnPairs, dict[tuple[str, str], Across]]:
    """All pairs of rows that have a mean on the same test sets; a reference is the second row."""
    compared, tallies = [], {}
    of_column = [c for unit in units.of for c in unit.columns]
    for first, second in combinations(source.rows, 2):
        a, b = (second, first) if first == reference else (first, second)
        if any(means[row, column].status != DONE for row in (a, b)):
            continue
        if any(source.entries[a, c].test != source.entries[b, c].test for c in of_column):
            continue
        compared.append(mean_contrast(source, units, a, b))
        tallies[a, b] = across(*both_of(source, units, a, b))
    planned = [r for r in source.rows if means[r, column].status in (DONE, MISSING, FAILED)]
    incomplete = {r for r in planned if means[r, column].blocks}
    waiting = [pair for pair in combinations(planned, 2) if incomplete & set(pair)]
    return ColumnPairs(_in_looks(compared, source, units), tuple(waiting)), tallies


def _in_looks(
    compared: Sequence[Contrast], source: MeanSource, units: Units
) -> tuple[Contrast, ...]:
    """With the p of a sequential rule, where Records of any data set were gathered under one."""
    columns = [c for unit in units.of for c in unit.columns]

    def again(cut: Cut) -> list[Contrast]:
        places = [(row, c) for row in source.rows for c in columns]
        fewer = replace(source, entries={place: cut(source.entries[place]) for place in places})
        lacking = {row for row, c in places if fewer.entries[row, c].outcomes is None}
        kept = [c for c in compared if not lacking & {c.a, c.b}]
        return [mean_contrast(fewer, units, c.a, c.b) for c in kept]

    return in_looks(compared, lambda row: [source.entries[row, c] for c in columns], again)


def _planned(pairs: ColumnPairs) -> int:
    return len(pairs.compared) + len(pairs.waiting)


def _gated(
    pairs: ColumnPairs, m: int, tallies: Mapping[tuple[Column, str, str], Across], column: Column
) -> ColumnPairs:
    """Without the p of those that cannot be significant among m; they still count in m."""
    compared = [gated(c, tallies[column, c.a, c.b], m) for c in pairs.compared]
    lost = [(c.a, c.b) for c, raw in zip(compared, pairs.compared, strict=True) if c.p != raw.p]
    return ColumnPairs(tuple(compared), (*pairs.waiting, *lost))


def _against(
    raw: Mapping[Column, ColumnPairs],
    tallies: Mapping[tuple[Column, str, str], Across],
    every_pair: Sequence[ColumnContrast],
    reference: str | None,
    family_name: str,
) -> tuple[ColumnContrast, ...]:
    """Every row minus the reference; among fewer comparisons fewer data sets are enough."""
    if family_name == "reference" and reference is not None:
        sizes = {
            column: sum(c.b == reference for c in of_column.compared)
            + sum(reference in pair for pair in of_column.waiting)
            for column, of_column in raw.items()
        }
        raw = {c: _gated(p, sizes[c], tallies, c) for c, p in raw.items()}
    return with_reference(raw, every_pair, reference, family_name)
