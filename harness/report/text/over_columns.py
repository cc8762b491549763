"""One sentence of the answer about several columns: in how many of them rows differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
from harness.stats.equivalence import BOTH, EQUIVALENT
from harness.stats.family import sign
from harness.stats.pairwise import LEAST_SEEDS

#: More rows than these are counted and not named.
MOST_NAMED = 4


@dataclass(frozen=True)
class Finding:
    """A row against the reference in one column."""

    row: str
    difference: float  # row minus reference, a fraction
    sign: int  # 1: the row is significantly above, -1: below, 0: not shown
    tested: bool


def against_reference(table: Table, lead: str = "") -> str:
    """In how many columns every row is above or below the reference, by how much."""
    found = [
        Finding(c.contrast.a, c.contrast.difference, sign(c.contrast), c.contrast.p is not None)
        for c in table.against
    ]
    digits = contrast_digits(c.contrast for c in table.against)
    text = _summary(table.reference or "", found, len(table.columns), digits)
    clauses = [text, *_equivalent(table, table.against)]
    return sentence(lead, "; ".join(clause for clause in clauses if clause))


def over_draws(table: Table) -> str:
    """The same over class draws: a row is above or below where it is in every draw."""
    found = [
        Finding(
            d.a,
            sum(c.difference for c in d.contrasts.values()) / len(d.contrasts),
            _of_all_draws([sign(c) for c in d.contrasts.values()]),
            all(c.p is not None for c in d.contrasts.values()),
        )
        for d in table.draws
    ]
    digits = contrast_digits(c for d in table.draws for c in d.contrasts.values())
    labels = list(dict.fromkeys(d.label for d in table.draws))
    draws = max((len(d.contrasts) for d in table.draws), default=0)
    text = _summary(table.reference or "", found, len(labels), digits)
    if (margin := margin_of(table)) is not None:
        by_draw = [d.contrasts.values() for d in table.draws]
        verdicts = [[equivalence.verdict(c) for c in of_row] for of_row in by_draw]
        inside = sum(set(of_row) <= {EQUIVALENT, BOTH} for of_row in verdicts)
        text += f"; {inside} of {len(table.draws)} {_within(inside, margin)} in every draw"
    return sentence(f"in each of {plural(draws, 'class draw')},", text)


def highest(table: Table, lead: str = "") -> str:
    """Which rows have the highest mean in how many columns, and which are nowhere shown worse."""
    tops, judged = [], []
    for column in table.columns:
        top = _top(table, column)
        if top is not None:
            tops.append(top)
            judged += [column] if (top, column) in table.bold else []
    if not tops:
        return ""
    n = len(table.columns)
    leaders = [f"{escape(row)} in {k} of {n} columns" for row, k in Counter(tops).most_common()]
    shown = leaders[:MOST_NAMED]
    rest = len(leaders) - len(shown)
    names = listing([*shown, *([f"{plural(rest, 'other row')} elsewhere"] if rest else [])])
    text = f"the highest mean is that of {names}"
    if not judged:
        return sentence(lead, f"{text}; the rows cannot be ranked")
    never = [r for r in table.rows if all((r, c) in table.bold for c in judged)]
    sizes = [sum((r, c) in table.bold for r in table.rows) - 1 for c in judged]
    others = " to ".join(dict.fromkeys(str(k) for k in (min(sizes), max(sizes))))
    what = "row is" if others == "1" else "rows are"
    text += f"; beside it {others} other {what} not significantly worse"
    if never:
        named = listing([escape(r) for r in never[:MOST_NAMED]])
        more = len(never) - MOST_NAMED
        named += f" and {plural(more, 'other row')}" if more > 0 else ""
        text += f", in every column {named}"
    return sentence(lead, text) if lead else sentence("", f"The{text[3:]}")


def _top(table: Table, column: Column) -> str | None:
    means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate) is not None}
    return max(means, key=lambda r: means[r]) if len(means) > 1 else None


def _of_all_draws(signs: Sequence[int]) -> int:
    return signs[0] if signs and len(set(signs)) == 1 else 0


def _summary(reference: str, found: Sequence[Finding], columns: int, digits: int) -> str:
    """`text beats random in 9 of 12 columns (by 4 to 27 points); 8 of 36 are undecided`."""
    parts = []
    for side in (-1, 1):  # rows that the reference beats first
        won = [f for f in found if f.sign == side]
        # Equally frequent rows stay in the order of the table.
        rows = [row for row, _ in Counter(f.row for f in won).most_common()]
        clauses = [
            _wins(escape(reference), row, [f for f in won if f.row == row], side, i, columns,
                  digits)
            for i, row in enumerate(rows[:MOST_NAMED])
        ]  # fmt: skip
        rest = len(rows) - MOST_NAMED
        clauses += [f"{plural(rest, 'other row')}"] if rest > 0 and side < 0 else []
        if rest > 0 and side > 0:
            clauses.append(f"{plural(rest, 'other row')} {'does' if rest == 1 else 'do'} as well")
        parts += [listing(clauses)] if clauses else []
    tested = [f for f in found if f.tested]
    undecided = sum(not f.sign for f in tested)
    if undecided:
        what = "comparison is" if len(tested) == 1 else "comparisons is" if undecided == 1 else (
            "comparisons are")  # fmt: skip
        parts.append(f"{undecided} of {len(tested)} {what} undecided")
    if untested := len(found) - len(tested):
        only = "the comparisons are" if not tested else f"{untested} of {len(found)} are"
        parts.append(f"{only} descriptive (a p-value needs {LEAST_SEEDS} seeds){_range(found)}")
    return "; ".join(parts)


def _range(found: Sequence[Finding]) -> str:
    gaps = [f.difference for f in found if not f.tested]
    ends = dict.fromkeys(points(g, 1, sign=True) for g in (min(gaps), max(gaps)))
    return f", with differences of {' to '.join(ends)} points"


def _wins(
    reference: str, row: str, won: Sequence[Finding], side: int, i: int, columns: int, digits: int
) -> str:  # fmt: skip
    gaps = sorted(abs(f.difference) for f in won)
    size = " to ".join(dict.fromkeys(points(g, digits) for g in (gaps[0], gaps[-1])))
    unit = " points" if i == 0 else ""
    where = f"in {len(won)} of {columns}{' columns' if i == 0 else ''} (by {size}{unit})"
    if columns == 1:
        where = f"by {size}{unit}"
    if side < 0:
        return f"{reference} beats {escape(row)} {where}" if i == 0 else f"{escape(row)} {where}"
    return f"{escape(row)} beats {reference if i == 0 else 'it'} {where}"


def _equivalent(table: Table, contrasts: Sequence[ColumnContrast]) -> list[str]:
    """How many of them are equivalent within the task's margin."""
    margin = margin_of(table)
    if margin is None:
        return []
    verdicts = [verdict_of(table, c.contrast, c.column) for c in contrasts]
    inside = sum(v in (EQUIVALENT, BOTH) for v in verdicts)
    return [f"{inside} of {len(verdicts)} {_within(inside, margin)}"]


def _within(number: int, margin: float) -> str:
    return f"{'is' if number == 1 else 'are'} equivalent within {margin_points(margin)} points"
