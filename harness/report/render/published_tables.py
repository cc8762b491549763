"""Published numbers of others as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.report.model.published import Published
from harness.report.render.leaderboard import DASH
from harness.report.render.pipe_table import pipe_table
from harness.report.text.notes import PUBLISHED
from harness.report.text.prose import escape


def published_tables(numbers: Sequence[Published]) -> str:
    """A table per published table, with its source, protocol and known deviation."""
    if not numbers:
        return ""
    parts = [PUBLISHED]
    for key in dict.fromkeys((n.table, n.source) for n in numbers):
        of_table = [n for n in numbers if (n.table, n.source) == key]
        first = of_table[0]
        parts += [
            f"**{escape(first.title)}.** {escape(first.table)} of {escape(first.source)}. "
            f"{protocol(first)}",
            published_table(of_table, corner="Row", mark=" (imported)"),
        ]
    return "\n\n".join(parts)


def published_table(numbers: Sequence[Published], *, corner: str = "", mark: str = "") -> str:
    """The numbers of one published table; `mark` is put behind the label of every row."""
    columns = list(dict.fromkeys(n.column for n in numbers))
    values = {(n.row, n.column): as_published(n, numbers) for n in numbers}
    rows = [
        [f"{escape(row)}{mark}", *(values.get((row, column), DASH) for column in columns)]
        for row in dict.fromkeys(n.row for n in numbers)
    ]
    return pipe_table([corner, *map(escape, columns)], rows)


def protocol(number: Published) -> str:
    """How a number was obtained."""
    return f"{escape(number.protocol)}. Known deviation: {escape(number.deviation)}"


def as_published(number: Published, numbers: Iterable[Published]) -> str:
    """With the decimals of its column: 59.30 and not 59.3 next to 81.52."""
    column = (number.table, number.column)
    texts = [f"{n.value:.10g}" for n in numbers if (n.table, n.column) == column]
    return f"{number.value:.{max(len(t.partition('.')[2]) for t in texts)}f}"
