"""Where a page of a table of the paper and the page of all claims differ."""

from __future__ import annotations

from harness.report.model.paper import title_of
from harness.report.model.table import Table

_DIFFERS = (
    "The verdicts of this page are corrected over comparisons of this table alone. The page of "
    "`python -m harness reproduce` corrects over the claims of all tables and figures of the "
    "paper, so what is decided here may be undecided there."
)


def beside_claims(table: Table) -> str:
    """That the page of all claims has a larger family; nothing for a study that is not on it."""
    name = table.task.name
    on_page = bool(table.task.claims) and title_of(name) != name
    tested = any(c.contrast.p_adjusted is not None for c in table.pairs)
    return _DIFFERS if on_page and tested else ""
