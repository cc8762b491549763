"""What a leaderboard does not show, and why."""

from __future__ import annotations

from harness.report.model.entry import ABSENT, FAILED, INFEASIBLE, MISSING
from harness.report.model.table import Table
from harness.report.text.prose import escape


def missing(table: Table) -> str:
    """A list: infeasible, failed and missing entries with their reasons, then the table's notes."""
    lines = []
    for status in (INFEASIBLE, FAILED, MISSING):
        for (row, column), entry in table.entries.items():
            if entry.status != status:
                continue
            text = f"- {escape(row)}, {escape(column)}: {status}"
            if status != INFEASIBLE:
                text += f" ({entry.seeds_done} of {entry.seeds_wanted} seeds done)"
            if entry.reasons:
                text += f": {'; '.join(map(escape, entry.reasons))}"
            lines.append(text)
    if any(e.status == ABSENT for e in table.entries.values()):
        lines.append("- Empty entries are not part of the grid.")
    lines += [f"- {escape(note)}" for note in table.notes]
    return "\n".join(dict.fromkeys(lines)) or "Nothing."
