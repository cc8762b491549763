"""One sentence of the answer about several columns: in how many of them rows differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.words import plural
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.text.numbers import margin_points, points
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, listing, sentence
from harness.stats import equivalence
from harness.stats.equivalence import BOTH, EQUIVALENT, SAME_CELLS
from harness.stats.family import sign
from harness.stats.pairwise import LEAST_SEEDS

#: More rows, and more columns, than these are counted and not named.
MOST_NAMED, _MOST_COLUMNS = 4, 2


@dataclass(frozen=True)
class Finding:
    """A row against the reference in one column, or in all class draws of one."""

    row: str
    column: str
    differences: tuple[float, ...]  # row minus reference, fractions: of each class draw
    sign: int  # 1: the row is significantly above, -1: below, 0: not shown
    tested: bool
    verdict: str = ""  # on the task's margin


def against_reference(table: Table, lead: str = "") -> str:
    """In how many columns every row is above or below the reference, by how much."""
    found = [_finding(table, c) for c in table.against]
    digits = contrast_digits(c.contrast for c in table.against)
    clauses = [_summary(table.reference or "", found, digits), *_margin(table, found)]
    return sentence(lead, "; ".join(clause for clause in clauses if clause))


def _finding(table: Table, in_column: ColumnContrast) -> Finding:
    c = in_column.contrast
    verdict = verdict_of(table, c, in_column.column)
    label = in_column.column.label
    return Finding(c.a, label, (c.difference,), sign(c), c.p is not None, verdict)


def over_draws(table: Table) -> str:
    """The same over class draws: a row is above or below where it is in every draw."""
    found = [
        Finding(
            d.a,
            d.label,
            tuple(c.difference for c in d.contrasts.values()),
            _of_all_draws([sign(c) for c in d.contrasts.values()]),
            all(c.p is not None for c in d.contrasts.values()),
        )
        for d in table.draws
    ]
    digits = contrast_digits(c for d in table.draws for c in d.contrasts.values())
    draws = max((len(d.contrasts) for d in table.draws), default=0)
    alike = "not significant in the same direction in every draw"
    text = _summary(table.reference or "", found, digits, undecided=alike)
    if (margin := margin_of(table)) is not None:
        by_draw = [d.contrasts.values() for d in table.draws]
        verdicts = [[equivalence.verdict(c) for c in of_row] for of_row in by_draw]
        inside = sum(set(of_row) <= {EQUIVALENT, BOTH} for of_row in verdicts)
        text += f"; {inside} of {len(table.draws)} {_within(inside, margin)} in every draw"
    lead = "in each of" if any(f.sign for f in found) else "over"
    return sentence(f"{lead} {plural(draws, 'class draw')},", text)


def highest(table: Table, lead: str = "") -> str:
    """Which rows have the highest mean in how many columns, and which are nowhere shown worse."""
    tops = {column: top for column in table.columns if (top := _tops(table, column))}
    if not tops:
        return ""
    leaders = []
    for rows, k in Counter(tops.values()).most_common():
        names = _named([column.label for column, top in tops.items() if top == rows], len(tops))
        where = f"in {k} of {len(tops)} columns" + (f" ({names})" if names else "")
        leaders.append(f"{_shared(rows)} {where}")
    shown = leaders[:MOST_NAMED]
    rest = len(leaders) - len(shown)
    names = listing([*shown, *([f"{plural(rest, 'other row')} elsewhere"] if rest else [])])
    text = f"the highest mean is that of {names}"
    judged = [column for column, rows in tops.items() if (rows[0], column) in table.bold]
    return sentence(lead, "; ".join([text, *_not_worse(table, tops, judged)]))


def _not_worse(
    table: Table, tops: Mapping[Column, tuple[str, ...]], judged: Sequence[Column]
) -> list[str]:
    """How many rows are not shown to be worse than the highest, and which are so everywhere."""
    if not judged:
        return ["the rows cannot be ranked"]
    others = {c: [r for r in table.rows if r not in tops[c]] for c in judged}
    if not any(others.values()):
        return []
    sizes = [sum((r, c) in table.bold for r in rows) for c, rows in others.items()]
    if max(sizes) == 0:
        return ["every other row is significantly worse"]
    ends = " to ".join(dict.fromkeys(str(k) for k in (min(sizes), max(sizes))))
    text = f"{ends} other {'row is' if ends == '1' else 'rows are'} not significantly worse"
    never = [r for r in table.rows if all((r, c) in table.bold for c in judged)]
    if not never or len(judged) < 2:
        return [text]
    return [text, f"in no column significantly worse: {_few(never)}"]


def _few(rows: Sequence[str]) -> str:
    shown = [escape(r) for r in rows[:MOST_NAMED]]
    more = len(rows) - len(shown)
    return listing([*shown, *([plural(more, "other row")] if more else [])])


def _shared(rows: Sequence[str]) -> str:
    """Rows with exactly the same mean share it."""
    return _few(rows) if len(rows) == 1 else f"{_few(rows)} alike"


def _tops(table: Table, column: Column) -> tuple[str, ...]:
    """Rows with the highest mean of a column that has at least two."""
    means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate) is not None}
    return tuple(r for r in means if means[r] == max(means.values())) if len(means) > 1 else ()


def _of_all_draws(signs: Sequence[int]) -> int:
    return signs[0] if signs and len(set(signs)) == 1 else 0


def _summary(
    reference: str, found: Sequence[Finding], digits: int, undecided: str = "undecided"
) -> str:
    """`text beats random in 9 of 12 columns (by 4 to 27 points); 8 of 36 are undecided`."""
    parts = []
    for side in (-1, 1):  # rows that the reference beats first
        won = [f for f in found if f.sign == side]
        # Equally frequent rows stay in the order of the table.
        rows = [row for row, _ in Counter(f.row for f in won).most_common()]
        clauses = [
            _wins(escape(reference), [f for f in found if f.row == row], side, i, digits)
            for i, row in enumerate(rows[:MOST_NAMED])
        ]
        rest = len(rows) - MOST_NAMED
        clauses += [f"{plural(rest, 'other row')}"] if rest > 0 and side < 0 else []
        if rest > 0 and side > 0:
            clauses.append(
                f"{plural(rest, 'other row')} {'does' if rest == 1 else 'do'} so as well"
            )
        parts += [listing(clauses)] if clauses else []
    tested = [f for f in found if f.tested]
    rest = sum(not f.sign and f.verdict not in (EQUIVALENT, SAME_CELLS) for f in tested)
    if rest:
        what = "comparison is" if len(tested) == 1 else "comparisons is" if rest == 1 else (
            "comparisons are")  # fmt: skip
        parts.append(f"{rest} of {len(tested)} {what} {undecided}")
    if untested := len(found) - len(tested):
        only = "the comparisons are" if not tested else f"{untested} of {len(found)} are"
        parts.append(f"{only} descriptive (a p-value needs {LEAST_SEEDS} seeds){_range(found)}")
    return "; ".join(parts)


def _range(found: Sequence[Finding]) -> str:
    gaps = [gap for f in found if not f.tested for gap in f.differences]
    ends = dict.fromkeys(points(g, 1, sign=True) for g in (min(gaps), max(gaps)))
    return f", with differences of {' to '.join(ends)} points"


def _wins(reference: str, of_row: Sequence[Finding], side: int, i: int, digits: int) -> str:
    """What is found of a row in the columns where it can be compared; the i-th of its side."""
    row, won = escape(of_row[0].row), [f for f in of_row if f.sign == side]
    gaps = sorted(abs(gap) for f in won for gap in f.differences)
    size = " to ".join(dict.fromkeys(points(g, digits) for g in (gaps[0], gaps[-1])))
    unit = " points" if i == 0 else ""
    names = _named([f.column for f in won], len(of_row))
    by = f"{names}; by {size}{unit}" if names else f"by {size}{unit}"
    where = f"in {len(won)} of {len(of_row)}{' columns' if i == 0 else ''} ({by})"
    if len(of_row) == 1:
        where = f"by {size}{unit}"
    if side < 0:
        return f"{reference} beats {row} {where}" if i == 0 else f"{row} {where}"
    return f"{row} beats {reference} {where}" if i == 0 else f"{row} does so {where}"


def _named(columns: Sequence[str], of: int) -> str:
    """A few of many columns by name; nothing for all of them."""
    few = len(columns) <= min(_MOST_COLUMNS, of - 1)
    return listing([escape(c) for c in columns]) if few else ""


def _margin(table: Table, found: Sequence[Finding]) -> list[str]:
    """How many are equivalent within the task's margin, and how many differ but by less."""
    margin = margin_of(table)
    if margin is None:
        return []
    inside = sum(f.verdict == EQUIVALENT for f in found)
    clauses = [f"{inside} of {len(found)} {_within(inside, margin)}"]
    if both := sum(f.verdict == BOTH for f in found):
        verb = "is" if both == 1 else "are"
        clauses.append(f"{plural(both, 'significant difference')} {verb} within the margin")
    if same := sum(f.verdict == SAME_CELLS for f in found):
        clauses.append(
            f"{same} of {len(found)} {'compares' if same == 1 else 'compare'} the same cells"
        )
    return clauses


def _within(number: int, margin: float) -> str:
    return f"{'is' if number == 1 else 'are'} equivalent within {margin_points(margin)} points"
