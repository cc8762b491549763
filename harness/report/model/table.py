"""Study -> Table: the leaderboard with its contrasts. Pure; nothing of it knows time or place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.core.outcomes import Contrast
from harness.report.model import entry as entries_of
from harness.report.model.draws import DrawSummary, summarise_draws
from harness.report.model.entry import Entry, make_entry
from harness.report.model.labels import JOINT, Column, Layout, lay_out
from harness.report.model.results import Result, Study
from harness.stats import family, pairwise
from harness.task.schema import Task

ESTIMAND = "E2"


@dataclass(frozen=True)
class Claim:
    """A contrast in its column, with the family in which its p was adjusted and its size m."""

    contrast: Contrast
    column: Column
    family: str
    m: int


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
    against: tuple[Claim, ...]  # every row against the reference, in the task's family
    pairs: tuple[Claim, ...]  # all pairs of a column, the better reading of `against` left in
    bold: frozenset[tuple[str, Column]]
    ranks: Mapping[tuple[str, Column], tuple[int, int]]
    draws: tuple[DrawSummary, ...]
    notes: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the columns, each once: class draws share theirs."""
        return tuple(dict.fromkeys(c.label for c in self.columns))

    def of_label(self, label: str) -> tuple[Column, ...]:
        """The columns of a label: one, or one a class draw."""
        return tuple(c for c in self.columns if c.label == label)

    def summary(self, row: str, label: str) -> tuple[float, float | None, float | None] | None:
        """(mean, low, high): of the entry, or the mean and range of the class draws' means.

        None where anything is missing.
        """
        found = [self.entries[row, c] for c in self.of_label(label)]
        done = [e.estimate for e in found if e.estimate is not None]
        if not done or any(e.blocks for e in found):
            return None
        if len(found) == 1:
            return done[0].mean, done[0].low, done[0].high
        means = [e.mean for e in done]
        return float(np.mean(means)), min(means), max(means)


def build_table(study: Study) -> Table:
    """The leaderboard of a study: entries, contrasts, ties with the best and rank intervals."""
    feasible = [r.cell for r in study.results]
    layout = lay_out(study.task.report, feasible, [cell for cell, _ in study.infeasible])
    entries = _entries(study, layout)
    reference, why_not = _reference(study.task, layout)
    raw = {c: _contrasts(layout.rows, c, entries, reference) for c in layout.columns}
    waiting = {c: _waiting(layout.rows, c, entries) for c in layout.columns}
    in_column = {c: _adjust(raw[c], len(waiting[c])) for c in layout.columns}
    bold, ranks = _verdicts(layout, entries, in_column)
    pairs = _pairs(study.task, raw, waiting, in_column)
    against = _against(study.task, raw, waiting, pairs, reference)
    draws = summarise_draws(
        {c: [x for x in raw[c] if x.b == reference] for c in layout.columns if c.draw is not None},
        {c: _classes(study, layout.rows, c, entries) for c in layout.columns},
    )
    return Table(
        task=study.task,
        row_axes=layout.row_axes,
        column_axes=layout.column_axes,
        rows=layout.rows,
        columns=layout.columns,
        entries=entries,
        reference=reference,
        against=against,
        pairs=pairs,
        bold=bold,
        ranks=ranks,
        draws=draws,
        notes=(*study.notes, *why_not, *_incomparable(layout, entries)),
    )


def _entries(study: Study, layout: Layout) -> dict[tuple[str, Column], Entry]:
    results: dict[tuple[str, Column], list[Result]] = {}
    for result in study.results:
        results.setdefault(layout.places[result.cell], []).append(result)
    reasons: dict[tuple[str, Column], list[str]] = {}
    for cell, why in study.infeasible:
        reasons.setdefault(layout.places[cell], []).append(why)
    out = {}
    for row in layout.rows:
        for column in layout.columns:
            place = (row, column)
            if place in results:
                out[place] = make_entry(results[place], study.tests, study.arrays)
            elif place in reasons:
                why_not = tuple(dict.fromkeys(reasons[place]))
                out[place] = Entry(entries_of.INFEASIBLE, reasons=why_not)
            else:
                out[place] = Entry(entries_of.ABSENT)
    return out


def _reference(task: Task, layout: Layout) -> tuple[str | None, tuple[str, ...]]:
    """The row that report.reference names: its label, or the one value that only it has."""
    name = task.report.reference
    if name is None or name in layout.rows:
        return name, ()
    having = [row for row in layout.rows if name in row.split(JOINT)]
    if len(having) == 1:
        return having[0], ()
    rows = ", ".join(f"'{row}'" for row in having or layout.rows)
    problem = "fits several rows" if having else "is no row of this table"
    return None, (f"report.reference '{name}' {problem} ({rows}), so all pairs are shown.",)


def _contrasts(
    rows: Sequence[str],
    column: Column,
    entries: Mapping[tuple[str, Column], Entry],
    reference: str | None,
) -> list[Contrast]:
    """All pairs of a column that were measured on the same test set; a reference is always b."""
    out = []
    for first, second in combinations(rows, 2):
        a, b = (second, first) if first == reference else (first, second)
        ours, theirs = entries[a, column], entries[b, column]
        if ours.outcomes is None or theirs.outcomes is None or ours.test != theirs.test:
            continue
        out.append(
            pairwise.contrast(ours.outcomes, theirs.outcomes, name_a=a, name_b=b, estimand=ESTIMAND)
        )
    return out


def _waiting(
    rows: Sequence[str], column: Column, entries: Mapping[tuple[str, Column], Entry]
) -> list[tuple[str, str]]:
    """Pairs that will be claimed once missing seeds are there."""
    planned = [r for r in rows if entries[r, column].status in ("done", "missing", "failed")]
    late = {r for r in planned if entries[r, column].blocks}
    return [pair for pair in combinations(planned, 2) if late & set(pair)]


def _adjust(contrasts: Sequence[Contrast], waiting: int) -> list[Contrast]:
    """Holm over the planned family: a claim that still waits counts as one with p = 1.

    Else an adjusted p would rise when the last cells come in.
    """
    held = [Contrast("", "", 0, None, None, 1.0, None, 0, 0, 0, ESTIMAND, "")] * waiting
    return family.adjust([*contrasts, *held])[: len(contrasts)]


def _size(contrasts: Iterable[Contrast], waiting: int) -> int:
    tested = sum(c.p is not None for c in contrasts)
    return tested + waiting if tested else 0


def _verdicts(
    layout: Layout,
    entries: Mapping[tuple[str, Column], Entry],
    in_column: Mapping[Column, Sequence[Contrast]],
) -> tuple[frozenset[tuple[str, Column]], dict[tuple[str, Column], tuple[int, int]]]:
    bold: set[tuple[str, Column]] = set()
    ranks: dict[tuple[str, Column], tuple[int, int]] = {}
    for column in layout.columns:
        if any(entries[row, column].blocks for row in layout.rows):
            continue
        means = {
            row: e.mean for row in layout.rows if (e := entries[row, column].estimate) is not None
        }
        labels = list(means)
        if not labels:
            continue
        contrasts = in_column[column]
        best = family.tied_with_best(labels, list(means.values()), contrasts)
        bold |= {(row, column) for row in best}
        spans = family.rank_intervals(labels, contrasts)
        ranks |= {(row, column): span for row, span in spans.items()}
    return frozenset(bold), ranks


def _pairs(
    task: Task,
    raw: Mapping[Column, Sequence[Contrast]],
    waiting: Mapping[Column, Sequence[tuple[str, str]]],
    in_column: Mapping[Column, Sequence[Contrast]],
) -> tuple[Claim, ...]:
    if task.report.family == "table":
        flat = [(column, c) for column, found in raw.items() for c in found]
        late = sum(map(len, waiting.values()))
        adjusted = _adjust([c for _, c in flat], late)
        m = _size(adjusted, late)
        return tuple(
            Claim(c, column, "table", m) for (column, _), c in zip(flat, adjusted, strict=True)
        )
    return tuple(
        Claim(c, column, "column", _size(found, len(waiting[column])))
        for column, found in in_column.items()
        for c in found
    )


def _against(
    task: Task,
    raw: Mapping[Column, Sequence[Contrast]],
    waiting: Mapping[Column, Sequence[tuple[str, str]]],
    pairs: Sequence[Claim],
    reference: str | None,
) -> tuple[Claim, ...]:
    if reference is None:
        return ()
    if task.report.family != "reference":
        return tuple(claim for claim in pairs if claim.contrast.b == reference)
    out = []
    for column, found in raw.items():
        ours = [c for c in found if c.b == reference]
        late = sum(reference in pair for pair in waiting[column])
        adjusted = _adjust(ours, late)
        out += [Claim(c, column, "reference", _size(adjusted, late)) for c in adjusted]
    return tuple(out)


def _classes(
    study: Study, rows: Sequence[str], column: Column, entries: Mapping[tuple[str, Column], Entry]
) -> frozenset[str]:
    tests = [entries[row, column].test for row in rows]
    return frozenset(n for t in tests if t is not None for n in study.tests[t].class_names)


def _incomparable(layout: Layout, entries: Mapping[tuple[str, Column], Entry]) -> tuple[str, ...]:
    out = []
    for column in layout.columns:
        tests = {e.test for row in layout.rows if (e := entries[row, column]).test is not None}
        if len(tests) > 1:
            out.append(
                f"In column '{column.label}' rows were measured on {len(tests)} different test "
                "sets; only rows on the same one are compared."
            )
    return tuple(dict.fromkeys(out))
