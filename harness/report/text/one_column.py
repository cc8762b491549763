"""One sentence of the answer: what a single column decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from harness.core.outcomes import Contrast
from harness.core.words import plural
from harness.report.model.equivalence import verdict_of
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.text.margin import margin_clauses
from harness.report.text.numbers import decimals, detectable, equals, interval, points
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, in_column, listing, sentence
from harness.stats.equivalence import EQUIVALENT, SAME_CELLS
from harness.stats.family import sign
from harness.stats.holm import ALPHA
from harness.stats.pairwise import LEAST_SEEDS

T = TypeVar("T")

#: More rows than these are counted and not named.
_MOST_NAMED = 4
#: Of more ties, wins or undecided rows than these the first few are named.
_MOST_LISTED = 8


def where(table: Table, column: Column) -> str:
    """How a sentence names its column; nothing where a single column says nothing new."""
    label = escape(column)
    if table.column_axes == ("fraction",) and len(table.columns) > 1 and label[0].isdigit():
        return f"at fraction {label},"
    named = in_column(label)
    single = len(table.columns) == 1 and named.startswith("in")
    return f"{named}," if named and not single else ""


def with_reference(table: Table, column: Column, lead: str = "") -> str:
    contrasts = [c.contrast for c in table.against if c.column == column]
    if not contrasts or table.reference is None:
        return ""
    digits = contrast_digits(c.contrast for c in table.against)
    reference = escape(table.reference)
    parts = []
    for side in (-1, 1):  # rows that the reference beats first
        significant = [c for c in contrasts if sign(c) == side]
        significant.sort(key=lambda c: -abs(c.difference))
        if significant:
            named = _first_few(significant)
            wins = [_win(c, reference, digits, first=i == 0) for i, c in enumerate(named)]
            parts.append(listing([*wins, *_other_gaps(significant[len(named) :], digits)]))
    settled = [c for c in contrasts if verdict_of(table, c, column) in (EQUIVALENT, SAME_CELLS)]
    open_ones = [c for c in contrasts if c.p_adjusted is not None and not sign(c)]
    undecided = [c for c in open_ones if c not in settled]
    if undecided:
        parts.append(_undecided(undecided, reference, digits))
    untested = [c for c in contrasts if c.p_adjusted is None]
    if untested:
        parts.append(_descriptive(untested, reference, digits))
    parts += margin_clauses(table, column, contrasts, table.reference)
    return sentence(f"{lead} {where(table, column)}".strip(), "; ".join(parts))


def _win(c: Contrast, reference: str, digits: int, *, first: bool) -> str:
    """One significant difference; the first of a list names both rows and the unit."""
    ahead = c.difference > 0
    low, high = (c.low, c.high) if ahead else (_minus(c.high), _minus(c.low))
    winner, loser = (escape(c.a), reference) if ahead else (reference, escape(c.a))
    gap = points(abs(c.difference), digits)
    if first:
        what = f"{winner} beats {loser} by {gap} points"
    elif ahead:
        what = f"{winner} does so by {gap}"
    else:
        what = f"{loser} by {gap}"
    assert c.p_adjusted is not None
    return f"{what} {interval(low, high, digits)} (adjusted p {equals(c.p_adjusted)})"


def _and_others(number: int) -> list[str]:
    return [f"{number} other rows"] if number else []


def _first_few(items: list[T]) -> list[T]:
    """Of many the first."""
    return items if len(items) <= _MOST_LISTED else items[:_MOST_NAMED]


def _other_gaps(contrasts: Sequence[Contrast], digits: int) -> list[str]:
    """What is left of significant differences, of which the largest are named."""
    if not contrasts:
        return []
    gaps = [points(abs(c.difference), digits) for c in contrasts]
    return [f"{len(gaps)} other rows by {' to '.join(dict.fromkeys((gaps[-1], gaps[0])))}"]


def _undecided(contrasts: Sequence[Contrast], reference: str, digits: int) -> str:
    # Each p is given: an unadjusted interval may exclude 0 where the adjusted p is above 0.05.
    named = [
        f"{escape(c.a)} ({points(c.difference, digits, sign=True)}, "
        f"adjusted p {equals(c.p_adjusted)})"
        for c in contrasts
        if c.p_adjusted is not None
    ]
    few = _first_few(named)
    names = listing([*few, *_and_others(len(named) - len(few))])
    verb = "does" if len(contrasts) == 1 else "do"
    text = f"{names} {verb} not differ significantly from {reference}"
    smallest = sorted(c.smallest_detectable for c in contrasts if c.smallest_detectable is not None)
    if not smallest:
        return text
    ends = list(dict.fromkeys(detectable(s, digits) for s in (smallest[0], smallest[-1])))
    noun = "difference" if len(contrasts) == 1 else "differences"
    return f"{text} (smallest detectable {noun}: {' to '.join(ends)} points)"


def _descriptive(untested: Sequence[Contrast], reference: str, digits: int) -> str:
    gaps = [
        f"{escape(c.a)} {points(c.difference, digits, sign=True)}"
        + (f" {bounds}" if (bounds := interval(c.low, c.high, digits, sign=True)) else "")
        for c in untested
    ]
    noun = "difference" if len(untested) == 1 else "differences"
    verb = "is" if len(untested) == 1 else "are"
    why = "; ".join(dict.fromkeys(_why_no_p(c) for c in untested))
    return f"the {noun} from {reference} {verb} descriptive ({why}; in points: {listing(gaps)})"


def _why_no_p(c: Contrast) -> str:
    if c.note not in ("", "descriptive"):
        return c.note
    return f"{plural(c.seeds, 'seed')}, a p-value needs {LEAST_SEEDS}"


def best(table: Table, column: Column, lead: str = "") -> str:
    means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate) is not None}
    if not means:
        return ""
    tops = [r for r in means if means[r] == max(means.values())]
    top = tops[0]
    e = table.entries[top, column].estimate
    assert e is not None
    digits = decimals([None if e.low is None or e.high is None else (e.high - e.low) / 2])
    bounds = interval(e.low, e.high, digits)
    names = listing([*(escape(r) for r in _first_few(tops)),
                     *_and_others(len(tops) - len(_first_few(tops)))])  # fmt: skip
    verb = "has" if len(tops) == 1 else "share"
    text = f"{names} {verb} the highest mean, {points(e.mean, digits)} points"
    text += f" {bounds}" if bounds and len(tops) == 1 else ""
    tied = [escape(r) for r in table.rows if (r, column) in table.bold and r not in tops]
    if len(tied) > _MOST_LISTED:  # the best of them are named
        by_mean = sorted(means, key=lambda r: -means[r])
        tied = [escape(r) for r in by_mean if escape(r) in tied]
    pairs = [c.contrast for c in table.verdicts.of(column)]
    with_top = [c for c in pairs if top in (c.a, c.b)]
    lost = {c.b if c.a == top else c.a for c in with_top if sign(c) == (1 if c.a == top else -1)}
    beaten = [escape(r) for r in means if r in lost]
    if (top, column) in table.bold:
        if tied:
            verb = "is" if len(tied) == 1 else "are"
            few = _first_few(tied)
            names = listing([*few, *_and_others(len(tied) - len(few))])
            text += f"; {names} {verb} not significantly worse"
        if beaten:
            many = len(beaten) > _MOST_NAMED
            rows = f"the other {len(beaten)} rows" if many else listing(beaten)
            text += f"; it beats {rows} (adjusted p at most {ALPHA})"
    elif len(means) > 1:
        text += "; the rows cannot be ranked"
    text = "; ".join([text, *margin_clauses(table, column, with_top, top)])
    return sentence(f"{lead} {where(table, column)}".strip(), text)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
