"""What a leaderboard does not show, and why."""

from __future__ import annotations

from harness.report.model.entry import ABSENT, FAILED, INFEASIBLE, MISSING
from harness.report.model.table import Table
from harness.report.text.prose import escape
from harness.report.text.status import status_of


def missing(table: Table) -> str:
    """A list: infeasible, failed and missing entries with their reasons, then the table's notes."""
    lines = []
    for status in (INFEASIBLE, FAILED, MISSING):
        for (row, column), entry in table.entries.items():
            if entry.status != status:
                continue
            what = status if status == INFEASIBLE else status_of([entry])
            text = f"- {escape(row)}, {escape(column)}: {what}"
            if entry.reasons:
                text += f": {'; '.join(map(escape, entry.reasons))}"
            lines.append(text)
    if any(e.status == ABSENT for e in table.entries.values()):
        lines.append("- Empty entries are not part of the grid.")
    lines += [f"- {escape(note)}" for note in table.notes]
    return "\n".join(dict.fromkeys(lines)) or "Nothing."
