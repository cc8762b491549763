"""`report.average`: the mean of every row over data sets, with its tests.

these_datasets: a fixed benchmark; what is random are seeds and items. new_datasets: the data sets
are the sample. See harness/stats/over_sets.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast
from harness.core.samples import TestSet
from harness.report.model.contrasts import (
    REFERENCE,
    TABLE,
    ColumnContrast,
    ColumnPairs,
    Entries,
    Verdicts,
    declared_by,
    judge,
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
from harness.stats.family import sign
from harness.stats.moderated import share_seed_variance
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
    verdicts: Verdicts
    values: Mapping[tuple[str, Column], FloatArray]  # of rows with a mean: (M,), one a unit
    tallies: Mapping[tuple[Column, str, str], Across]  # by (column, a, b)
    source: MeanSource = field(compare=False, repr=False)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of means."""
        return tuple(self.units)

    @property
    def noun(self) -> str:
        """What the means are over, as `class draws of 2 data sets`."""
        return " or ".join(dict.fromkeys(units.noun for units in self.units.values()))

    @property
    def kinds(self) -> str:
        """What counts as one: `data sets`, `class draws`, or both."""
        return " or ".join(sorted({units.kind for units in self.units.values()}))

    @property
    def pairs(self) -> tuple[ColumnContrast, ...]:
        """All pairs of rows in every column of means."""
        return self.verdicts.pairs

    @property
    def against(self) -> tuple[ColumnContrast, ...]:
        """Every row minus the reference."""
        return self.verdicts.against


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
    declared = declared_by(report, reference)
    pairs = _all_gated(raw, tallies, declared.in_use, reference)
    verdicts = judge(layout.rows, pairs, means, declared)
    return Average(
        kind=report.average,
        units=units,
        entries=means,
        verdicts=verdicts,
        values={
            (r, c): values_of(entries, r, units[c])
            for (r, c), e in means.items()
            if e.status == DONE
        },
        tallies=tallies,
        source=source,
    )


def contrast_of_means(found: Average, column: Column, a: str, b: str) -> Contrast:
    """Two rows that have a mean; p is neither adjusted nor held back for too few data sets."""
    units = found.units[column]
    contrast = mean_contrast(found.source, units, a, b)
    return _in_looks([contrast], found.source, units)[0]


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
    """Pairs of rows that differ significantly in a column of means; None if one has no p in the
    family.
    """
    pairs = [c.contrast for c in found.verdicts.of(column)]
    if not pairs or any(c.p_adjusted is None for c in pairs):
        return None
    return {frozenset((c.a, c.b)) for c in pairs if sign(c)}


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
    shared = share_seed_variance(compared)
    return ColumnPairs(_in_looks(shared, source, units), tuple(waiting)), tallies


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
        return share_seed_variance([mean_contrast(fewer, units, c.a, c.b) for c in kept])

    return in_looks(compared, lambda row: [source.entries[row, c] for c in columns], again)


def _all_gated(
    raw: Mapping[Column, ColumnPairs],
    tallies: Mapping[tuple[Column, str, str], Across],
    family_name: str,
    reference: str | None,
) -> dict[Column, ColumnPairs]:
    """Without each p that cannot be significant in its family; it still counts in its size m."""
    total = sum(_planned(pairs) for pairs in raw.values())
    out = {}
    for column, pairs in raw.items():
        m = total if family_name == TABLE else _planned(pairs)
        against = sum(reference in (c.a, c.b) for c in pairs.compared)
        against += sum(reference in pair for pair in pairs.waiting)
        # Among the fewer comparisons with the reference fewer data sets are enough.
        sizes = [
            against if family_name == REFERENCE and reference in (c.a, c.b) else m
            for c in pairs.compared
        ]
        compared = [
            gated(c, tallies[column, c.a, c.b], size)
            for c, size in zip(pairs.compared, sizes, strict=True)
        ]
        both = zip(compared, pairs.compared, strict=True)
        lost = [(c.a, c.b) for c, before in both if c.p != before.p]
        out[column] = ColumnPairs(tuple(compared), (*pairs.waiting, *lost))
    return out


def _planned(pairs: ColumnPairs) -> int:
    return len(pairs.compared) + len(pairs.waiting)
