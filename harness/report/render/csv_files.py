"""The csv files: a row a cell, and a row a contrast. Accuracies and differences are fractions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from harness.core.cells import Cell, Choice
from harness.core.hashing import canonical
from harness.core.records import Record
from harness.report.model.labels import Column, differs_on, value_on
from harness.report.model.results import Study
from harness.report.model.table import Claim, Table
from harness.task.grid import AXES, RECIPE_AXES

_CONTRAST_FIELDS = (
    "difference", "low", "high", "p", "p_adjusted", "seeds", "items", "groups", "test",
    "smallest_detectable",
)  # fmt: skip


def cells_csv(study: Study) -> str:
    """A row a cell, done or not: its axes, seed, status, measures (fractions), seconds, key.

    `selection` is what configurations were chosen on; `chosen` is what a search chose, as JSON.
    """
    cells = [r.cell for r in study.results] + [c for c, _ in study.infeasible]
    axes = _axes(cells)
    header = [
        *axes, "selection", "seed", "status", "top1", "top5", "mean_class", "n", "seconds",
        "gpu_seconds", "chosen", "key",
    ]  # fmt: skip
    rows = [
        [*_values(r.cell, axes), r.cell.selection, r.cell.seed, *_measured(r.record), r.key]
        for r in study.results
    ]
    rows += [
        [*_values(cell, axes), cell.selection, cell.seed, "infeasible", *[None] * 7, None]
        for cell, _ in study.infeasible
    ]
    return _csv(header, rows)


def contrasts_csv(table: Table) -> str:
    """A row a contrast; `family` names what p_adjusted was adjusted in.

    With a reference the rows against it come first, in the task's family; then the other pairs.
    An axis on which the two rows differ is empty.
    """
    cells = [e.cell for e in table.entries.values() if e.cell is not None]
    axes = [a for a in _axes(cells) if a not in table.row_axes]
    claims = [*table.against, *(c for c in table.pairs if not _is_against(c, table.reference))]
    header = ["a", "b", *axes, *_CONTRAST_FIELDS, "family"]
    return _csv(header, [_contrast(table, claim, axes) for claim in claims])


def _is_against(claim: Claim, reference: str | None) -> bool:
    return reference is not None and claim.contrast.b == reference


def _contrast(table: Table, claim: Claim, axes: Sequence[str]) -> list[Any]:
    c = claim.contrast
    places: list[tuple[str, Column]] = [(c.a, claim.column), (c.b, claim.column)]
    first, second = (table.entries[place].cell for place in places)
    assert first is not None
    assert second is not None
    shared = [
        ours if ours == theirs else None
        for ours, theirs in zip(_values(first, axes), _values(second, axes), strict=True)
    ]
    return [c.a, c.b, *shared, *(getattr(c, name) for name in _CONTRAST_FIELDS), claim.family]


def _axes(cells: Sequence[Cell]) -> list[str]:
    """Every axis, and those of the recipe that vary among what trains."""
    varying = set(differs_on(c for c in cells if c.recipe is not None))
    return [*AXES, *(a for name in RECIPE_AXES if (a := f"recipe.{name}") in varying)]


def _values(cell: Cell, axes: Iterable[str]) -> list[Any]:
    return [_text(value_on(cell, axis)) for axis in axes]


def _text(value: Any) -> Any:
    if isinstance(value, Choice):
        return canonical(value.plain()) if value.options else value.name
    return str(value).lower() if isinstance(value, bool) else value


def _measured(record: Record | None) -> list[Any]:
    if record is None:
        return ["missing", *[None] * 7]
    cost, chosen = record.cost, record.diagnostics.get("chosen")
    return [
        record.status, record.top1, record.top5, record.mean_class, record.n,
        cost.get("wall_s"), cost.get("gpu_s"), None if chosen is None else canonical(chosen),
    ]  # fmt: skip


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
