"""What a report says of configurations that were chosen on the test set itself."""

from __future__ import annotations

from harness.report.model.labels import CHOSEN_ON_TEST
from harness.report.model.table import Table
from harness.report.text.prose import escape, listing

#: Stands over every figure.
BANNER = "Chosen on the test set: rows marked so are too high"


def chosen_on_test(table: Table) -> list[str]:
    """Rows of which any entry was chosen on its test set."""
    cells = ((row, e.cell) for (row, _), e in table.entries.items() if e.cell is not None)
    return list(dict.fromkeys(row for row, cell in cells if cell.selection == "test"))


def warning(table: Table) -> str:
    """The sentence at the head of the report, as Markdown; '' where nothing was chosen so."""
    rows = chosen_on_test(table)
    if not rows:
        return ""
    of = "every row" if len(rows) == len(table.rows) else listing([escape(r) for r in rows])
    return (
        f"**Chosen on the test set.** The configurations of {of} are those that did best on the "
        "very samples that are reported: their numbers are too high, their intervals and p do not "
        f"allow for it, and they compare with no other number. Rows are marked '{CHOSEN_ON_TEST}'."
    )
