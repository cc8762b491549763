"""The leaderboard as a Markdown table with its caption."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.entry import ABSENT, FAILED, INFEASIBLE, Entry
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.caption import caption, two_families
from harness.report.text.numbers import interval, points
from harness.report.text.precision import table_digits
from harness.report.text.prose import brackets, escape, listing

#: An entry that is infeasible, and a number that a publication does not give.
DASH = "–"


def leaderboard(table: Table) -> str:
    """Mean, interval and rank interval of every entry; bold, marks and the caption."""
    digits = table_digits(table)
    rows = [
        [escape(row) + _mark(table, row)]
        + [_shown(table, row, label, digits) for label in table.labels]
        for row in table.rows
    ]
    notes = "\n".join(f"- {escape(note)}" for note in table.task.report.notes)
    parts = [
        pipe_table(["Row", *map(escape, table.labels)], rows), two_families(table),
        caption(table), notes, _falling(table),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _falling(table: Table) -> str:
    rows = [escape(row) for row in table.rows if _mark(table, row)]
    if not rows:
        return ""
    return (
        f"\\* still falling: the training loss of {listing(rows)} had not converged (in the last "
        "epoch it was more than 5% and more than 0.01 nats below the mean of the 5 epochs before). "
        "Longer training may change the row."
    )


def _mark(table: Table, row: str) -> str:
    return " \\*" if any(table.entries[row, c].falling for c in table.columns) else ""


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
    return text


def _not_shown(entries: Sequence[Entry]) -> str:
    statuses = {e.status for e in entries}
    if statuses <= {ABSENT, INFEASIBLE}:
        return DASH if INFEASIBLE in statuses else ""
    done, wanted = sum(e.seeds_done for e in entries), sum(e.seeds_wanted for e in entries)
    status = "failed" if FAILED in statuses else "missing"
    return f"{status} ({done} of {wanted} done)"
