"""What the answer says of `report.margin`: which rows are equivalent within it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.core.outcomes import Contrast
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.text.numbers import margin_points
from harness.report.text.prose import escape, listing
from harness.stats.equivalence import BOTH, EQUIVALENT, SAME_CELLS, UNDECIDED


def margin_clauses(
    table: Table, column: Column, contrasts: Iterable[Contrast], row: str
) -> list[str]:
    """One clause for each verdict on the rows that these contrasts compare with `row`; none
    without a margin. A difference beyond the margin is said where it is said that it is there.
    """
    margin = margin_of(table)
    if margin is None:
        return []
    rows: dict[str, list[str]] = {}
    for c in contrasts:
        other = c.b if c.a == row else c.a
        rows.setdefault(verdict_of(table, c, column), []).append(escape(other))
    found = ((verdict, rows[verdict]) for verdict in _CLAUSES if verdict in rows)
    return [_clause(verdict, names, escape(row), margin) for verdict, names in found]


_CLAUSES = {
    SAME_CELLS: "{names} and {row} are the same cells",
    EQUIVALENT: "{names} {are} equivalent to {row} within {size} points",
    BOTH: "the {differences} of {names} from {row} {are} within {size} points all the same",
    UNDECIDED: "{names} {are} undecided: neither different from {row} nor equivalent within {size} "
    "points",
}


def _clause(verdict: str, names: Sequence[str], row: str, margin: float) -> str:
    one = len(names) == 1
    return _CLAUSES[verdict].format(
        names=listing(names), row=row, size=margin_points(margin), are="is" if one else "are",
        differences="difference" if one else "differences",
    )  # fmt: skip
