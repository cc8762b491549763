"""The warning of a report about configurations that were chosen on the test set."""

from __future__ import annotations

from harness.report.model.labels import CHOSEN_ON_TEST
from harness.report.model.table import Table
from harness.report.text.prose import escape, listing

#: Above every figure and table.
BANNER = "Chosen on the test set: accuracies of the rows marked so are too high"

#: The warning begins with it.
HEAD = "**Chosen on the test set.**"


def chosen_on_test(table: Table) -> list[str]:
    """Rows with an entry whose configuration was chosen on its test set."""
    cells = ((row, e.cell) for (row, _), e in table.entries.items() if e.cell is not None)
    return list(dict.fromkeys(row for row, cell in cells if cell.selection == "test"))


def warning(table: Table) -> str:
    """The paragraph at the head of the report, as Markdown; '' where nothing was chosen so."""
    rows = chosen_on_test(table)
    if not rows:
        return ""
    of = "every row" if len(rows) == len(table.rows) else listing([escape(r) for r in rows])
    return (
        f"{HEAD} The configurations of {of} were chosen by their accuracy on "
        "the same test samples that are reported here. Their accuracies are too high, their "
        "intervals and p-values do not account for the choice, and they must not be compared with "
        f"other numbers. These rows are marked '{CHOSEN_ON_TEST}'."
    )
