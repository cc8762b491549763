"""Results -> Table: the leaderboard with its contrasts. Pure: no time, host or path enters it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cells import but_seed
from harness.core.perils import PERILS
from harness.report.model.average import Average, average
from harness.report.model.contrasts import (
    ColumnContrast,
    Entries,
    Verdicts,
    column_pairs,
    declared_by,
    judge,
)
from harness.report.model.draws import DrawSummary, summarise_draws
from harness.report.model.entry import ABSENT, INFEASIBLE, Entry, make_entry
from harness.report.model.estimand import regrouped
from harness.report.model.labels import JOINT, Column, TableLayout, lay_out
from harness.report.model.results import Result, Results
from harness.report.model.within import WithinContrast, within
from harness.task.schema import Task

if TYPE_CHECKING:
    import pandas as pd


#: How many warnings that begin alike a note holds.
MOST_ALIKE = 3


@dataclass(frozen=True)
class Table:
    """A leaderboard. Fractions throughout; labels are those that csv files and readers use."""

    task: Task
    row_axes: tuple[str, ...]
    column_axes: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    entries: Mapping[tuple[str, Column], Entry]
    reference: str | None
    verdicts: Verdicts  # of the one family that the task declares
    draws: tuple[DrawSummary, ...]
    within: tuple[WithinContrast, ...]  # rows that differ in report.within alone
    notes: tuple[str, ...]
    average: Average | None = None  # report.average: means over data sets

    @property
    def family(self) -> str:
        """The family of every verdict: column, reference or table."""
        return self.verdicts.family

    @property
    def against(self) -> tuple[ColumnContrast, ...]:
        """Every row minus the reference."""
        return self.verdicts.against

    @property
    def pairs(self) -> tuple[ColumnContrast, ...]:
        """All pairs of every column, those of `against` included."""
        return self.verdicts.pairs

    @property
    def bold(self) -> frozenset[tuple[str, Column]]:
        """Entries that are not significantly worse than the best of their column."""
        return self.verdicts.bold

    @property
    def ranks(self) -> Mapping[tuple[str, Column], tuple[int, int]]:
        """Rank intervals; none under `family: reference`."""
        return self.verdicts.ranks

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the columns, each once: class draws share theirs."""
        return tuple(dict.fromkeys(c.label for c in self.columns))

    def of_label(self, label: str) -> tuple[Column, ...]:
        """The columns of a label: one, or one per class draw."""
        return tuple(c for c in self.columns if c.label == label)

    def summary(self, row: str, label: str) -> tuple[float, float | None, float | None] | None:
        """(mean, low, high): of the entry, or the mean and range of the class draws' means.

        None where anything is missing.
        """
        entries = [self.entries[row, c] for c in self.of_label(label)]
        estimates = [e.estimate for e in entries if e.estimate is not None]
        if not estimates or any(e.blocks for e in entries):
            return None
        if len(entries) == 1:
            return estimates[0].mean, estimates[0].low, estimates[0].high
        means = [e.mean for e in estimates]
        return float(np.mean(means)), min(means), max(means)

    def dataframe(self) -> pd.DataFrame:
        """One line per entry, row by row, and then those of `report.average`: row, column, draw
        (the class seed, where a study has several), mean, low, high (fractions), seeds (done),
        items, groups, status, bold, rank_low, rank_high, mark (1: significantly above the
        reference, -1: below, under `family: reference`). A value that an entry does not have is
        missing.
        """
        import pandas as pd

        lines = [self._line(row, column) for row in self.rows for column in self.columns]
        if (found := self.average) is not None:
            means = replace(self, entries=found.entries, verdicts=found.verdicts)
            lines += [
                {**means._line(row, column), "column": units.title(column)}
                for row in self.rows
                for column, units in found.units.items()
            ]
        # Nullable integers: a missing count must not turn a column into floats.
        kinds = {"row": "str", "column": "str", "draw": "Int64", "mean": "float64",
                 "low": "float64", "high": "float64", "seeds": "Int64", "items": "Int64",
                 "groups": "Int64", "status": "str", "bold": "bool", "rank_low": "Int64",
                 "rank_high": "Int64", "mark": "Int64"}  # fmt: skip
        return pd.DataFrame(lines, columns=list(kinds)).astype(kinds)

    def _line(self, row: str, column: Column) -> dict[str, Any]:
        entry = self.entries[row, column]
        estimate = entry.estimate
        rank_low, rank_high = self.ranks.get((row, column), (None, None))
        return {
            "row": row,
            "column": column.label,
            "draw": column.draw,
            "mean": None if estimate is None else estimate.mean,
            "low": None if estimate is None else estimate.low,
            "high": None if estimate is None else estimate.high,
            "seeds": entry.seeds_done,
            "items": None if estimate is None else estimate.items,
            "groups": None if estimate is None else estimate.groups,
            "status": entry.status,
            "bold": (row, column) in self.bold,
            "rank_low": rank_low,
            "rank_high": rank_high,
            "mark": self.verdicts.marks.get((row, column)),
        }


def build_table(results: Results) -> Table:
    """The leaderboard of a study: entries, contrasts, ties with the best and rank intervals.

    Raises UnknownName for a row or column of the task's report that is no axis.
    """
    task = results.task
    feasible = [r.cell for r in results.results]
    layout = lay_out(task.report, feasible, [cell for cell, _ in results.infeasible])
    estimand = task.report.estimand
    results = replace(
        results, tests={name: regrouped(t, estimand) for name, t in results.tests.items()}
    )
    entries = _entries(results, layout)
    reference, reference_notes = _reference(task, layout)
    pairs = {c: column_pairs(layout.rows, c, entries, reference) for c in layout.columns}
    declared = declared_by(task.report, reference)
    verdicts = judge(layout.rows, pairs, entries, declared)
    means = average(task.report, layout, entries, results.tests, reference)
    draws = summarise_draws(
        {
            column: [c.contrast for c in verdicts.of(column) if c.contrast.b == reference]
            for column in layout.columns
            if column.draw is not None
        },
        {c: _class_names(results, layout, c, entries) for c in layout.columns},
    )
    return Table(
        task=task,
        row_axes=layout.row_axes,
        column_axes=layout.column_axes,
        rows=layout.rows,
        columns=layout.columns,
        entries=entries,
        reference=reference,
        verdicts=verdicts,
        draws=draws,
        within=within(task.report.within, layout.rows, pairs, verdicts, entries),
        notes=(
            *_accepted(task),
            *results.notes,
            *_warnings(results),
            *reference_notes,
            *_incomparable(layout, entries),
            *_no_mean(task, means),
        ),
        average=means,
    )


def _no_mean(task: Task, means: Average | None) -> tuple[str, ...]:
    """Why a task that asks for means has none."""
    if task.report.average is None or means is not None:
        return ()
    return (
        "report.average: there is no mean over data sets, as no two columns differ in their data "
        "set or class draw alone.",
    )


def _accepted(task: Task) -> tuple[str, ...]:
    """What the task accepts with `allow`."""
    return tuple(f"Accepted by the task (allow: {n}): {PERILS[n]}." for n in task.allow)


def _warnings(results: Results) -> tuple[str, ...]:
    """Warnings of the Records, each once, with the number of cells that have it. Those that begin
    alike, up to a colon, are one note: cells differ in how many of their samples are concerned.
    """
    records = [result.record for result in results.once() if result.record is not None]
    counted = Counter(warning for record in records for warning in dict.fromkeys(record.warnings))
    alike: dict[str, list[str]] = {}
    for warning, n in counted.items():
        what, _, details = warning.partition(": ")
        alike.setdefault(what, []).append(f"{details} ({n} {'cell' if n == 1 else 'cells'})")
    return tuple(_one_note(what, details) for what, details in alike.items())


def _one_note(what: str, details: list[str]) -> str:
    """Warnings that begin alike; of many the first few."""
    more = f"; and {len(details) - MOST_ALIKE} more" if len(details) > MOST_ALIKE else ""
    shown = "; ".join(details[:MOST_ALIKE])
    return f"{what}: {shown}{more}" if not shown.startswith(" (") else f"{what}{shown}{more}"


def _entries(results: Results, layout: TableLayout) -> dict[tuple[str, Column], Entry]:
    feasible: dict[tuple[str, Column], list[Result]] = {}
    for _, of_row in groupby(results.results, key=lambda r: but_seed(r.cell)):
        alike = list(of_row)
        feasible.setdefault(layout.place_of(alike[0].cell), []).extend(alike)
    reasons: dict[tuple[str, Column], list[str]] = {}
    for cell, why in results.infeasible:
        reasons.setdefault(layout.place_of(cell), []).append(why)
    out = {}
    for row in layout.rows:
        for column in layout.columns:
            place = (row, column)
            if place in feasible:
                out[place] = make_entry(
                    feasible[place], results.tests, results.arrays, results.task.report.estimand
                )
            elif place in reasons:
                out[place] = Entry(INFEASIBLE, reasons=tuple(dict.fromkeys(reasons[place])))
            else:
                out[place] = Entry(ABSENT)
    return out


def _reference(task: Task, layout: TableLayout) -> tuple[str | None, tuple[str, ...]]:
    """The row that report.reference names, by its label or by a value that only it has; and notes.

    A name that fits no row, or several, is noted and gives no reference: the study itself is done
    and its report is still of use.
    """
    name = task.report.reference
    if name is None or name in layout.rows:
        return name, ()
    matching = [row for row in layout.rows if name in row.split(JOINT)]
    if len(matching) == 1:
        return matching[0], ()
    rows = ", ".join(f"'{row}'" for row in matching or layout.rows)
    problem = "matches several rows" if matching else "matches no row of this table"
    return None, (f"report.reference '{name}' {problem} ({rows}); all pairs are shown instead.",)


def _class_names(
    results: Results, layout: TableLayout, column: Column, entries: Entries
) -> frozenset[str]:
    tests = [entries[row, column].test for row in layout.rows]
    return frozenset(n for t in tests if t is not None for n in results.tests[t].class_names)


def _incomparable(layout: TableLayout, entries: Entries) -> tuple[str, ...]:
    out = []
    for column in layout.columns:
        tests = {e.test for row in layout.rows if (e := entries[row, column]).test is not None}
        if len(tests) > 1:
            out.append(
                f"The rows of column '{column.label}' were evaluated on {len(tests)} different "
                "test sets; only rows with the same test set are compared."
            )
    return tuple(dict.fromkeys(out))
