"""Rows that differ in one axis alone, as a Markdown table: a line a method, say."""

from __future__ import annotations

from harness.report.model.contrasts import REFERENCE
from harness.report.model.table import Table
from harness.report.model.within import WithinContrast
from harness.report.render.pipe_table import pipe_table
from harness.report.text.numbers import interval, points, span
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import brackets, escape
from harness.report.text.within import title
from harness.stats.family import sign
from harness.stats.holm import ALPHA


def within_table(table: Table) -> str:
    """Empty where the task has no `report.within`, or no two rows differ in it alone."""
    if not table.within:
        return ""
    digits = contrast_digits(w.contrast for w in table.within)
    columns = list(dict.fromkeys((w.value, w.column) for w in table.within))
    found = {(w.shared, w.value, w.column): w for w in table.within}
    rows = [
        [escape(shared), *(_shown(found.get((shared, *column)), digits) for column in columns)]
        for shared in dict.fromkeys(w.shared for w in table.within)
    ]
    base = table.within[0].base
    header = ["Row", *(escape(title(value, base, column)) for value, column in columns)]
    return f"{pipe_table(header, rows)}\n\n{_below(table)}"


def _shown(w: WithinContrast | None, digits: int) -> str:
    if w is None:
        return ""
    c = w.contrast
    text = points(c.difference, digits, sign=True)
    text += "\\*" if sign(c) else ""
    bounds = brackets(interval(c.low, c.high, digits, sign=True))
    return f"{text} {bounds}" if bounds else text


def _below(table: Table) -> str:
    axis = escape(table.task.report.within)
    text = (
        f"Differences in points with 95% intervals, between rows that differ in {axis} (and, with "
        "methods, in the options that a task gives them for it). "
    )
    sizes = [w.m for w in table.within if w.m]
    if not sizes:
        return text + "Descriptive: too few seeds for a p-value."
    return (
        f"{text}\\* adjusted p at most {ALPHA}: Holm's correction {_over(table)} "
        f"(m = {span(sizes)}). Without it a difference is not shown to be 0."
    )


def _over(table: Table) -> str:
    if table.family != REFERENCE:
        return f"in the family of the page, '{table.family}'"
    return "over the differences of a column that are not in the family of the page, 'reference'"
