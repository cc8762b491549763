"""Every measure of every entry as a Markdown table."""

from __future__ import annotations

from harness.report.model.entry import DONE, Entry
from harness.report.model.measured import MeasureTitle, in_order, title_of_measure
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.numbers import points
from harness.report.text.precision import table_digits
from harness.report.text.prose import escape


def measure_table(table: Table) -> str:
    """Means over seeds; nothing where top-1 is the only measure."""
    names = in_order(name for e in table.entries.values() for name in e.measures)
    if len(names) < 2:
        return ""
    titles = {name: title_of_measure(name) for name in names}
    digits = table_digits(table)
    rows = []
    for column in table.columns:
        for row in table.rows:
            entry = table.entries[row, column]
            if entry.status == DONE:
                values = [_value(entry, name, titles[name], digits) for name in names]
                rows.append([escape(column), escape(row), *values])
    header = ["Column", "Row", *(escape(_header(title)) for title in titles.values())]
    text = f"{pipe_table(header, rows, left=2)}\n\nMeans over seeds; these measures are not tested."
    if any(title.lower_is_better for title in titles.values()):
        text += " ↓: lower is better."
    return text


def _header(title: MeasureTitle) -> str:
    unit = "points" if title.is_fraction else title.unit
    return title.title + f" ({unit})" * bool(unit) + " ↓" * title.lower_is_better


def _value(entry: Entry, name: str, title: MeasureTitle, digits: int) -> str:
    value = entry.measures.get(name)
    if value is None:
        return ""
    return points(value, digits) if title.is_fraction else f"{value:.3f}"
