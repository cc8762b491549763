"""What the page leaves undecided: one line per pair of rows, with the columns concerned."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.table import Table
from harness.report.render.pipe_table import pipe_table
from harness.report.text.numbers import detectable, margin_points, points
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, listing
from harness.stats.equivalence import EQUIVALENT, SAME_CELLS
from harness.stats.family import sign

#: More pairs are in the csv of contrasts.
MOST_PAIRS, MOST_COLUMNS = 40, 4


def undecided_table(table: Table) -> str:
    """Comparisons of the declared family with an adjusted p above 0.05; nothing without any.

    Without a reference those with the best row of their column. Over class draws the section about
    them says it.
    """
    if table.draws:
        return ""
    pairs = _open(table)
    if not pairs:
        return ""
    digits = contrast_digits(c.contrast for of_pair in pairs.values() for c in of_pair)
    lines = [_line(rows, of_pair, digits) for rows, of_pair in pairs.items()]
    header = ["Rows", "Undecided in", "Differences", "Smallest detectable"]
    margin = margin_of(table)
    size = "" if margin is None else margin_points(margin)
    of_margin = f" and that are not shown to be equivalent within {size} points" if size else ""
    text = (
        f"Comparisons whose adjusted p is above 0.05{of_margin}: neither a difference nor its "
        "absence is shown. Points; smallest detectable: what these seeds and items find with 80% "
        "power. `python -m harness power` says how many seeds and items would be enough."
    )
    if len(lines) > MOST_PAIRS:
        text += f" {MOST_PAIRS} of {len(lines)} pairs are shown; the csv of contrasts has all."
    return f"{pipe_table(header, lines[:MOST_PAIRS], left=2)}\n\n{text}"


def _open(table: Table) -> dict[tuple[str, str], list[ColumnContrast]]:
    found: dict[tuple[str, str], list[ColumnContrast]] = {}
    for c in table.against or with_best(table):
        settled = verdict_of(table, c.contrast, c.column) in (EQUIVALENT, SAME_CELLS)
        if c.contrast.p_adjusted is not None and not sign(c.contrast) and not settled:
            found.setdefault((c.contrast.a, c.contrast.b), []).append(c)
    return found


def with_best(table: Table) -> list[ColumnContrast]:
    """The pairs of the best row of every column."""
    best = {}
    for column in table.columns:
        means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate)}
        best[column] = max(means, key=lambda r: means[r]) if means else ""
    return [c for c in table.pairs if best[c.column] in (c.contrast.a, c.contrast.b)]


def _line(rows: tuple[str, str], pairs: Sequence[ColumnContrast], digits: int) -> list[str]:
    named = [escape(c.column) for c in pairs]
    more = len(named) - MOST_COLUMNS
    where = listing([*named[:MOST_COLUMNS], *([f"{more} more"] if more > 0 else [])])
    gaps = [c.contrast.difference for c in pairs]
    smallest = [s for c in pairs if (s := c.contrast.smallest_detectable) is not None]
    return [
        f"{escape(rows[0])} minus {escape(rows[1])}",
        where,
        _range([points(g, digits, sign=True) for g in (min(gaps), max(gaps))]),
        _range([detectable(s, digits) for s in (min(smallest), max(smallest))]) if smallest else "",
    ]


def _range(ends: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys(ends))
