"""The differences of means over data sets, as a Markdown table."""

from __future__ import annotations

from harness.report.model.average import Average
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.average import below_means, without_diagrams
from harness.report.text.numbers import detectable, interval, margin_points, points, probability
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import brackets, escape

#: A longer table is not read; the csv of contrasts has every pair.
MOST_PAIRS = 150


def average_table(table: Table) -> str:
    """Rows against the reference, or all pairs; nothing without means."""
    found, means = table.average, mean_table(table)
    if found is None or means is None:
        return ""
    contrasts = list(found.against or found.pairs)
    if not contrasts:
        return "No two rows have a mean of the same data sets yet." if len(table.rows) > 1 else ""
    digits = contrast_digits(c.contrast for c in contrasts)
    header = ["Column", "Row", brackets("Difference [95% interval]"), "p", "Adjusted p",
              "Wins / ties / losses", _units(found), "Smallest detectable", "S"]  # fmt: skip
    if (margin := margin_of(table)) is not None:
        header.append(f"Margin {margin_points(margin)}")
    rows = [_row(means, found, c, digits) for c in contrasts[:MOST_PAIRS]]
    parts = [pipe_table(header, rows, left=2)]
    if len(contrasts) > MOST_PAIRS:
        parts.append(f"The first {MOST_PAIRS} of {len(contrasts)} pairs; the csv has all of them.")
    parts.append(below_means(table))
    parts += without_diagrams(found)
    return "\n\n".join(part for part in parts if part)


def _units(found: Average) -> str:
    """What M counts."""
    return found.kinds.capitalize()


def _row(means: Table, found: Average, in_column: ColumnContrast, digits: int) -> list[str]:
    c = in_column.contrast
    tally = found.tallies[in_column.column, c.a, c.b]
    gap = f"{points(c.difference, digits, sign=True)} "
    gap += brackets(interval(c.low, c.high, digits, sign=True))
    against = means.reference is not None
    line = [
        escape(in_column.column),
        escape(c.a) if against else f"{escape(c.a)} minus {escape(c.b)}",
        gap.strip(),
        probability(c.p),
        probability(c.p_adjusted),
        f"{tally.win} / {tally.tie} / {tally.loss}",
        str(len(found.units[in_column.column].of)),
        detectable(c.smallest_detectable, digits),
        str(c.seeds),
    ]
    if margin_of(means) is not None:
        line.append(verdict_of(means, c, in_column.column))
    return line
