"""The csv files: one line per cell, one per contrast. Accuracies and differences are fractions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from harness.core.cells import Cell, Choice, but_seed
from harness.core.hashing import canonical
from harness.core.records import TOP_LEVEL_MEASURES, Record
from harness.report.model.average import Average
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.harmonic import harmonic_table
from harness.report.model.labels import RECIPE_KEYS, Column, differs_on, value_on
from harness.report.model.mean_table import mean_table
from harness.report.model.measured import in_order, measures_of
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.model.trials import settings_of
from harness.stats.equivalence import interval_90
from harness.stats.holm import ALPHA
from harness.task.grid import AXES, RECIPE

_CONTRAST_FIELDS = (
    "difference", "low", "high", "p", "p_adjusted", "seeds", "items", "groups", "test",
    "smallest_detectable",
)  # fmt: skip
_of_contrast = attrgetter(*_CONTRAST_FIELDS)


def cells_csv(results: Results) -> str:
    """One line per cell, done or not: its axes, seed, status, measures, n, seconds and key.

    The columns of measures are the top-level ones and then what any Record has beyond them.
    `selection` is what its configuration was chosen on; `chosen` is what a search chose, as JSON.
    """
    cells = [r.cell for r in results.results] + [c for c, _ in results.infeasible]
    axes = _axes(cells)
    further = {name for r in results.results if r.record is not None for name in r.record.measures}
    measures = in_order({*TOP_LEVEL_MEASURES, *further})
    rest = ["n", "seconds", "gpu_seconds", "chosen"]
    header = [*axes, "selection", "seed", "status", *measures, *rest, "key"]
    lines = _of_cells(results, axes, measures)
    nothing = [None] * (len(measures) + len(rest))
    infeasible = (
        [*_values(cell, axes), cell.selection, cell.seed, "infeasible", *nothing, None]
        for cell, _ in results.infeasible
    )
    return _csv(header, chain(lines, infeasible))


def _of_cells(
    results: Results, axes: Sequence[str], measures: Sequence[str]
) -> Iterator[list[Any]]:
    """One line at a time, as there may be 100,000; the axes once for all seeds of a row."""
    for _, alike in groupby(results.results, key=lambda r: but_seed(r.cell)):
        first, *others = alike
        values = [*_values(first.cell, axes), first.cell.selection]
        for r in (first, *others):
            yield [*values, r.cell.seed, *_of_record(r.record, measures), r.key]


def contrasts_csv(table: Table) -> str:
    """One line per contrast; `family` names the family in which p_adjusted was adjusted.

    With a reference, the rows minus the reference come first, in the task's family; then the other
    pairs, then H of base and new, which has `harmonic` in place of a side, and the means over data
    sets, which have `mean:KIND` in place of a data set. An
    axis on which the two rows differ is empty. The columns of `report.margin`, of a sequential rule
    (`level`: that of the interval, where seeds were added under one) and of `report.average` are
    last.
    """
    cells = [e.cell for e in table.entries.values() if e.cell is not None]
    axes = [a for a in _axes(cells) if a not in table.row_axes]
    header = ["a", "b", *axes, *_CONTRAST_FIELDS, "family"]
    harmonic = harmonic_table(table)
    sequential = any(c.contrast.level < ALPHA for c in (*table.against, *table.pairs))
    lines = _contrasts(table, axes, sequential=sequential)
    if harmonic is not None:
        lines += _contrasts(harmonic, axes, sequential=sequential)
    if margin_of(table) is not None:
        header += ["margin", "verdict", "low_90", "high_90", "p_equivalent"]
    if sequential:
        header += ["level"]
    if (means := mean_table(table)) is not None and (found := table.average) is not None:
        header += ["datasets", "win", "tie", "loss"]
        lines = [[*line, *[None] * 4] for line in lines]
        counts = [_tally(found, c) for c in _in_csv(means)]
        of_means = _contrasts(means, axes, sequential=sequential)
        lines += [[*line, *count] for line, count in zip(of_means, counts, strict=True)]
    return _csv(header, lines)


def _in_csv(table: Table) -> list[ColumnContrast]:
    others = [c for c in table.pairs if c.contrast.b != table.reference]
    return [*table.against, *others]


def _contrasts(table: Table, axes: Sequence[str], *, sequential: bool) -> list[list[Any]]:
    """With the columns of a margin, where the task has one, and of a sequential rule."""
    margin = margin_of(table)
    lines = []
    values = {p: _values(e.cell, axes) for p, e in table.entries.items() if e.cell is not None}
    for c in _in_csv(table):
        line = _contrast(c, values)
        if margin is not None:
            bounds = interval_90(c.contrast) or (None, None)
            line += [margin, verdict_of(table, c.contrast, c.column) or None, *bounds]
            line.append(c.contrast.p_equivalent)
        if sequential:
            line.append(c.contrast.level)
        lines.append(line)
    return lines


def _tally(found: Average, in_column: ColumnContrast) -> list[int]:
    """How many data sets, and on how many a is ahead, equal and behind."""
    c = in_column.contrast
    tally = found.tallies[in_column.column, c.a, c.b]
    return [len(found.units[in_column.column].of), tally.win, tally.tie, tally.loss]


def trials_csv(table: Table) -> str:
    """One line per setting that a row's search tried, in every column and (column empty) over all
    of them: means over the cells of what they selected by. Nothing without a search.
    """
    lines = []
    for row in table.rows:
        for column in (None, *table.columns):
            name = None if column is None else str(column)
            lines += [
                [row, name, canonical(s.config), s.top1, s.nll, s.cells, s.failed, s.chosen]
                for s in settings_of(table, row, column)
            ]
    header = ["row", "column", "setting", "top1", "nll", "cells", "failed", "chosen"]
    return _csv(header, lines) if lines else ""


def _contrast(
    in_column: ColumnContrast, values: Mapping[tuple[str, Column], Sequence[Any]]
) -> list[Any]:
    """`values` on the axes by row and column."""
    c, column = in_column.contrast, in_column.column
    both = zip(values[c.a, column], values[c.b, column], strict=True)
    shared = [of_a if of_a == of_b else None for of_a, of_b in both]
    return [c.a, c.b, *shared, *_of_contrast(c), in_column.family]


def _axes(cells: Sequence[Cell]) -> list[str]:
    """Every axis of the grid, the name of the recipe where a task has several, and the keys of the
    recipe in which trained cells differ.
    """
    varying = set(differs_on(c for c in cells if c.recipe is not None))
    named = [RECIPE] if any(c.recipe_name is not None for c in cells) else []
    return [*AXES, *named, *(axis for axis in RECIPE_KEYS if axis in varying)]


def _values(cell: Cell, axes: Iterable[str]) -> list[Any]:
    return [_text(value_on(cell, axis)) for axis in axes]


def _text(value: Any) -> Any:
    if isinstance(value, Choice):
        return canonical(value.plain()) if value.options else value.name
    return str(value).lower() if isinstance(value, bool) else value


def _of_record(record: Record | None, measures: Sequence[str]) -> list[Any]:
    """Status, measures, n, seconds, GPU seconds and what a search chose."""
    if record is None:
        return ["missing", *[None] * (len(measures) + 4)]
    values, cost = measures_of(record), record.cost
    chosen = record.diagnostics.get("chosen")
    return [
        record.status, *(values.get(name) for name in measures), record.n,
        cost.get("wall_s"), cost.get("gpu_s"), None if chosen is None else canonical(chosen),
    ]  # fmt: skip


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
