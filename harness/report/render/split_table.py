"""Mean class accuracy over the official splits, as a Markdown table."""

from __future__ import annotations

from harness.report.model.splits import SplitMean, split_means
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.numbers import points
from harness.report.text.precision import table_digits
from harness.report.text.prose import escape, listing

BELOW = (
    "Points: the mean over the splits at each seed, then over seeds, ± its standard deviation over "
    "seeds. Descriptive: the splits share videos, so they are no independent test sets, and there "
    "is no test over them. Each split has its own column and its own test above."
)


def split_table(table: Table) -> str:
    """Empty unless a row has columns that differ in the official split alone."""
    means = split_means(table)
    if not means:
        return ""
    digits = table_digits(table)
    header = ["Row", "Dataset", "Splits", "Mean class accuracy", "Top-1", "Seeds"]
    return f"{pipe_table(header, [_line(m, digits) for m in means], left=3)}\n\n{BELOW}"


def _line(m: SplitMean, digits: int) -> list[str]:
    splits = ", ".join(map(str, m.splits))
    if m.mean_class is None or m.top1 is None:
        gone = f"missing: split {listing([str(split) for split in m.missing])}"
        return [escape(m.row), escape(m.dataset), splits, gone, "", ""]
    spread = "" if m.deviation is None else f" ± {points(m.deviation, digits)}"
    accuracy = f"{points(m.mean_class, digits)}{spread}"
    return [
        escape(m.row),
        escape(m.dataset),
        splits,
        accuracy,
        points(m.top1, digits),
        str(m.seeds),
    ]
