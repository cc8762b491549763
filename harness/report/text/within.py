"""What one axis changes, in a sentence for each column: the rows that differ in it alone."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.model.within import WithinContrast
from harness.report.text.numbers import points
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, in_column, plural
from harness.stats.family import ALPHA


def title(value: str, base: str, column: Column) -> str:
    """The head of a column of the table."""
    return f"{value} minus {base}, {column}" if column.label != "all" else f"{value} minus {base}"


def within_sentences(table: Table) -> list[str]:
    """Of each value and column, in how many of the pairs the value is ahead or behind."""
    digits = contrast_digits(w.contrast for w in table.within) if table.within else 0
    groups = dict.fromkeys((w.column, w.value) for w in table.within)
    out = []
    for column, value in groups:
        of_group = [w for w in table.within if (w.column, w.value) == (column, value)]
        where = in_column(escape(column))
        text = _sentence(of_group, digits)
        out.append(f"{where[:1].upper()}{where[1:]}, {text}" if where else text)
    return out


def _sentence(group: Sequence[WithinContrast], digits: int) -> str:
    first = group[0]
    pair = f"{escape(first.value)} in place of {escape(first.base)}"
    if all(w.contrast.p_adjusted is None for w in group):
        return f"{pair}: too few seeds for tests."
    decided = [w for w in group if (p := w.contrast.p_adjusted) is not None and p <= ALPHA]
    parts = []
    for verb, sign in (("costs", -1), ("gains", 1)):
        gaps = [abs(w.contrast.difference) for w in decided if sign * w.contrast.difference > 0]
        if gaps:
            ends = dict.fromkeys(points(g, digits) for g in (min(gaps), max(gaps)))
            parts.append(f"{verb} {' to '.join(ends)} points in {len(gaps)}")
    rest = len(group) - len(decided)
    if rest:
        parts.append(f"makes no significant difference in {rest}")
    return f"{pair} {', '.join(parts)} of {plural(len(group), 'comparison')}."
