"""What one axis changes, in one sentence: the rows that differ in it alone."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.model.within import WithinContrast
from harness.report.text.numbers import points
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, listing, sentence
from harness.stats.family import sign


def title(value: str, base: str, column: Column) -> str:
    """The head of a column of the table."""
    return f"{value} minus {base}, {column}" if column.label != "all" else f"{value} minus {base}"


def within_sentence(table: Table) -> str:
    """Of each value, in how many of the pairs of all columns it is ahead or behind."""
    if not table.within:
        return ""
    digits = contrast_digits(w.contrast for w in table.within)
    values = dict.fromkeys(w.value for w in table.within)
    clauses = [_clause([w for w in table.within if w.value == value], digits) for value in values]
    return sentence("", "; ".join(clauses))


def _clause(group: Sequence[WithinContrast], digits: int) -> str:
    first = group[0]
    pair = f"{escape(first.value)} in place of {escape(first.base)}"
    if all(w.contrast.p_adjusted is None for w in group):
        return f"{pair}: too few seeds for tests"
    parts = []
    for verb, side in (("costs", -1), ("gains", 1)):
        gaps = [abs(w.contrast.difference) for w in group if sign(w.contrast) == side]
        if gaps:
            ends = dict.fromkeys(points(g, digits) for g in (min(gaps), max(gaps)))
            parts.append(f"{verb} {' to '.join(ends)} points in {len(gaps)}")
    if undecided := sum(not sign(w.contrast) for w in group):
        parts.append(f"is undecided in {undecided}")
    return f"{pair} {listing(parts)} of {plural(len(group), 'comparison')}"
