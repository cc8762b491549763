"""Rows that differ in one axis alone: does a method care where its classifier comes from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core.outcomes import Contrast
from harness.report.model.contrasts import (
    ColumnContrast,
    ColumnPairs,
    Entries,
    Verdicts,
    outside,
)
from harness.report.model.labels import JOINT, Column, name_value, value_on


@dataclass(frozen=True)
class WithinContrast:
    """`value` minus `base`, two values of the axis, for what the rows share otherwise."""

    shared: str  # what both rows are called but for the axis: a method
    value: str
    base: str
    column: Column
    contrast: Contrast  # p is adjusted in the declared family, or over those outside of it
    m: int
    family: str = ""  # the declared one, or '' outside of it


def within(
    axis: str | None,
    rows: Sequence[str],
    pairs: Mapping[Column, ColumnPairs],
    verdicts: Verdicts,
    entries: Entries,
) -> tuple[WithinContrast, ...]:
    """Every row minus the one that has the axis's first value and is otherwise called the same.

    The options of a method may differ between them, as each has those that were chosen for it. A
    pair that belongs to the declared family keeps the p that it has there; the others of a column
    are a family.
    """
    if axis is None:
        return ()
    named = {row: split for row in rows if (split := _split(row, axis, pairs, entries))}
    values = list(dict.fromkeys(value for _, value in named.values()))
    if len(values) < 2:
        return ()
    base = values[0]
    row_of = {split: row for row, split in named.items()}
    out = []
    for column, of_column in pairs.items():
        by_rows = {frozenset((c.contrast.a, c.contrast.b)): c for c in verdicts.of(column)}
        waiting = {frozenset(p) for p in of_column.waiting if not verdicts.covers(p)}
        found, held = [], 0
        for row, (shared, value) in named.items():
            pair = frozenset((row, row_of.get((shared, base), row)))
            held += pair in waiting
            if value != base and (c := by_rows.get(pair)):
                found.append((shared, value, c if c.contrast.a == row else _turned(c)))
        adjusted = outside([c for _, _, c in found], held, verdicts.margin)
        out += [
            WithinContrast(shared, value, base, column, c.contrast, c.m, c.family)
            for (shared, value, _), c in zip(found, adjusted, strict=True)
        ]
    return tuple(out)


def _split(
    row: str, axis: str, pairs: Mapping[Column, ColumnPairs], entries: Entries
) -> tuple[str, str] | None:
    """(what the row is called without its value on the axis, this value)."""
    cell = next((c for column in pairs if (c := entries[row, column].cell) is not None), None)
    if cell is None or (value := value_on(cell, axis)) is None:
        return None
    name = name_value(axis, value)
    parts = row.split(JOINT)
    if name not in parts or len(parts) < 2:
        return None
    parts.remove(name)
    return JOINT.join(parts), name


def _turned(of_column: ColumnContrast) -> ColumnContrast:
    return replace(of_column, contrast=turned(of_column.contrast))


def turned(c: Contrast) -> Contrast:
    """B minus a, of a minus b."""
    low = None if c.high is None else -c.high
    high = None if c.low is None else -c.low
    return replace(c, a=c.b, b=c.a, difference=-c.difference, low=low, high=high)
