"""H of base and new as columns of a table of their own: which rows differ in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from harness.core.cells import BASE, NEW
from harness.core.outcomes import Contrast, Estimate
from harness.report.model.base_to_new import BaseToNew, base_to_new, without_side
from harness.report.model.contrasts import ColumnPairs, declared_by, judge
from harness.report.model.entry import ABSENT, DONE, FAILED, MISSING, Entry
from harness.report.model.estimand import in_stats
from harness.report.model.labels import Column
from harness.report.model.looks import Cut, in_looks
from harness.report.model.table import Table
from harness.stats.harmonic import TEST, BaseNew, harmonic_contrast
from harness.stats.moderated import share_seed_variance

#: In csv files the value of `test_classes` in the lines of H.
MARKER = "harmonic"

Lines = Mapping[str, BaseToNew]  # by row


def harmonic_table(table: Table) -> Table | None:
    """A table of H; None where no two rows have one. Means over class draws are not in it."""
    by_column: dict[Column, dict[str, BaseToNew]] = {}
    for line in base_to_new(table):
        if line.draws == 1:
            by_column.setdefault(Column(line.column or "all", line.draw), {})[line.row] = line
    rows = tuple(dict.fromkeys(row for lines in by_column.values() for row in lines))
    reference = _reference(table, rows)
    pairs = {c: _pairs(lines, reference) for c, lines in by_column.items()}
    if not any(of_column.compared for of_column in pairs.values()):
        return None
    entries = {
        (row, c): _entry(lines[row]) if row in lines else Entry(ABSENT)
        for c, lines in by_column.items()
        for row in rows
    }
    return replace(
        table, rows=rows, columns=tuple(by_column), entries=entries, reference=reference,
        verdicts=judge(rows, pairs, entries, declared_by(table.task.report, reference)),
        draws=(), within=(), notes=(), average=None,
    )  # fmt: skip


def _reference(table: Table, rows: Sequence[str]) -> str | None:
    """The row of the reference, whose label may name the side."""
    if table.reference is None or table.reference in rows:
        return table.reference
    found = {without_side(table.reference, side) for side in (BASE, NEW)} & set(rows)
    return found.pop() if len(found) == 1 else None


def _pairs(lines: Lines, reference: str | None) -> ColumnPairs:
    compared = []
    for first, second in combinations(lines, 2):
        a, b = (second, first) if first == reference else (first, second)
        if (found := _contrast(a, b, lines[a].sides, lines[b].sides)) is not None:
            compared.append(found)

    def again(cut: Cut) -> list[Contrast]:
        sides = {row: [(cut(base), cut(new)) for base, new in line.sides]
                 for row, line in lines.items()}  # fmt: skip
        found = (_contrast(c.a, c.b, sides[c.a], sides[c.b]) for c in compared)
        return share_seed_variance([c for c in found if c is not None])

    shared = share_seed_variance(compared)
    looked = in_looks(shared, lambda row: [e for pair in lines[row].sides for e in pair], again)
    planned = {row: {line.base_status, line.new_status} for row, line in lines.items()
               if {line.base_status, line.new_status} <= {DONE, MISSING, FAILED}}  # fmt: skip
    waiting = [
        pair for pair in combinations(planned, 2)
        if any(planned[row] & {MISSING, FAILED} for row in pair)
    ]  # fmt: skip
    return ColumnPairs(looked, tuple(waiting))


def _contrast(
    a: str, b: str, of_a: Sequence[tuple[Entry, Entry]], of_b: Sequence[tuple[Entry, Entry]]
) -> Contrast | None:
    """None where a side has no outcomes, or the two rows other test sets."""
    both = list(zip(of_a, of_b, strict=False))
    same = all(x.test == y.test for left, right in both for x, y in zip(left, right, strict=True))
    rows = [_outcomes(of) for of in (of_a, of_b)]
    if len(of_a) != len(of_b) or not same or None in rows:
        return None
    row_a, row_b = (row for row in rows if row is not None)
    estimand = in_stats(of_a[0][0].estimand)
    return harmonic_contrast(row_a, row_b, name_a=a, name_b=b, estimand=estimand)


def _outcomes(sides: Sequence[tuple[Entry, Entry]]) -> list[BaseNew] | None:
    found = [
        BaseNew(base.outcomes, new.outcomes) for base, new in sides
        if base.outcomes is not None and new.outcomes is not None
    ]  # fmt: skip
    return found if found and len(found) == len(sides) else None


def _entry(line: BaseToNew) -> Entry:
    """The cell is that of base with a marker in place of the side."""
    entries = [e for pair in line.sides for e in pair]
    cell = next((e.cell for e in entries if e.cell is not None), None)
    h = line.harmonic
    return Entry(
        DONE if h is not None else MISSING,
        seeds_done=min((e.seeds_done for e in entries), default=0),
        seeds_wanted=max((e.seeds_wanted for e in entries), default=0),
        estimate=None if h is None else Estimate(h, None, None, 0, 0, 0, TEST),
        cell=None if cell is None else replace(cell, test_classes=MARKER),
        records=tuple(r for e in entries for r in e.records),
        level=min((e.level for e in entries), default=0.05),
    )
