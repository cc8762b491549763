"""The leaderboard as a Markdown table with its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.report.model.contrasts import without_any
from harness.report.model.entry import ABSENT, INFEASIBLE, Entry
from harness.report.model.mean_table import mean_table, mean_titles
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.average import average_caption
from harness.report.text.caption import caption
from harness.report.text.looks import sequential_caption
from harness.report.text.numbers import DOWN, UP, interval, points
from harness.report.text.precision import table_digits
from harness.report.text.prose import brackets, escape, listing
from harness.report.text.status import in_a_cell

#: An entry that is infeasible, and a number that a publication does not give.
DASH = "–"


def leaderboard(table: Table, *, verdicts: bool = True) -> str:
    """Mean, interval and rank interval of every entry; bold, marks and the caption. Without
    verdicts for a page that has other ones, from a larger family.
    """
    if not verdicts:
        table = replace(table, verdicts=without_any(table.verdicts))
    digits = table_digits(table)
    means = mean_table(table)
    rows = [
        [escape(row) + mark(table, row)]
        + [_shown(table, row, label, digits) for label in table.labels]
        + ([_shown(means, row, label, digits) for label in means.labels] if means else [])
        for row in table.rows
    ]
    notes = "\n".join(f"- {escape(note)}" for note in table.task.report.notes)
    parts = [
        pipe_table(["Row", *map(escape, (*table.labels, *mean_titles(table)))], rows),
        caption(table), sequential_caption(table), average_caption(table),
        notes, marks_text(table),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


#: Mark of a row, and the sentence that explains it.
FALLING, NOT_LEARNED = "\\*", "†"


def marks_text(table: Table) -> str:
    """What the marks of rows mean, one paragraph each."""
    marked = {row: mark(table, row) for row in table.rows}
    falling = [escape(row) for row, of_row in marked.items() if FALLING in of_row]
    not_learned = [escape(row) for row, of_row in marked.items() if NOT_LEARNED in of_row]
    parts = []
    if falling:
        parts.append(
            f"{FALLING} still falling: the training loss of {listing(falling)} had not converged "
            "(in the last epoch it was more than 5% and more than 0.01 nats below the mean of the "
            "5 epochs before). Longer training may change the row."
        )
    if not_learned:
        parts.append(
            f"{NOT_LEARNED} not learned: the training of {listing(not_learned)} taught little "
            "(from the first epoch to the last the loss fell by less than 1% and the accuracy on "
            "the training samples rose by less than 1 point, or that accuracy ended at chance). "
            "Another recipe may change the row."
        )
    return "\n\n".join(parts)


def mark(table: Table, row: str) -> str:
    """The marks behind the label of a row, as Markdown."""
    entries = [table.entries[row, c] for c in table.columns]
    falling = any(e.falling for e in entries)
    not_learned = any(e.not_learned for e in entries)
    return f" {FALLING}" * falling + f" {NOT_LEARNED}" * not_learned


def _shown(table: Table, row: str, label: str, digits: int) -> str:
    columns = table.of_label(label)
    summary = table.summary(row, label)
    if summary is None:
        return _not_shown([table.entries[row, c] for c in columns])
    mean, low, high = summary
    text = points(mean, digits)
    # Over class draws nothing is bold: ranks are those of one draw.
    if (row, columns[0]) in table.bold and len(columns) == 1:
        text = f"**{text}**"
    text += f" {bounds}" if (bounds := brackets(interval(low, high, digits))) else ""
    if len(columns) == 1 and (row, columns[0]) in table.ranks:
        first, last = table.ranks[row, columns[0]]
        text += f" ({first})" if first == last else f" ({first}-{last})"
    mark = table.verdicts.marks.get((row, columns[0])) if len(columns) == 1 else None
    return f"{text} {UP if mark > 0 else DOWN}" if mark else text


def _not_shown(entries: Sequence[Entry]) -> str:
    statuses = {e.status for e in entries}
    if statuses <= {ABSENT, INFEASIBLE}:
        return DASH if INFEASIBLE in statuses else ""
    return escape(in_a_cell(entries))
