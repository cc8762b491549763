"""`report.margin`: what every contrast of a table says of it."""

from __future__ import annotations

from harness.core.outcomes import Contrast
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.stats import equivalence


def margin_of(table: Table) -> float | None:
    """The margin as a fraction; None for a task without one."""
    return table.verdicts.margin


def verdict_of(table: Table, c: Contrast, column: Column) -> str:
    """The verdict on a contrast of a table with a margin; '' without a test.

    Rows of two names of one recipe may be the same cells, which need no test.
    """
    if c.p_adjusted is None or c.p_equivalent is None:
        return ""
    a, b = ({r.key for r in table.entries[row, column].records} for row in (c.a, c.b))
    return equivalence.SAME_CELLS if a == b else equivalence.verdict(c)
