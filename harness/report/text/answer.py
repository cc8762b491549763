"""The answer in plain words, computed from the contrasts.

A difference that is not significant is never called equality.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from harness.core.outcomes import Contrast
from harness.report.model.labels import Column
from harness.report.model.mean_table import mean_table
from harness.report.model.table import Table
from harness.report.text.average import average_lead
from harness.report.text.margin import margin_clauses, within_margin
from harness.report.text.numbers import decimals, detectable, equals, interval, points
from harness.report.text.precision import contrast_digits
from harness.report.text.prose import escape, in_column, listing, plural
from harness.report.text.within import within_sentences
from harness.stats.family import ALPHA
from harness.stats.pairwise import LEAST_SEEDS

T = TypeVar("T")

#: More rows than these are counted and not named.
_MOST_NAMED = 4
#: Of more ties, wins or undecided rows than these the first few are named.
_MOST_LISTED = 8


def answer(table: Table) -> str:
    """Which rows beat which, by how much, and what is undecided: a sentence, or a list with one
    sentence per column.
    """
    if table.draws:
        sentences = _over_draws(table)
    elif table.reference is not None:
        sentences = [_with_reference(table, c) for c in table.columns]
    else:
        sentences = [_best(table, c) for c in table.columns]
    sentences = [s for s in (*_of_means(table), *sentences) if s] + within_sentences(table)
    incomplete = sum(e.blocks for e in table.entries.values())
    if incomplete:
        rest = "is incomplete; its column has" if incomplete == 1 else (
            "are incomplete; their columns have")  # fmt: skip
        sentences.append(f"{incomplete} of {len(table.entries)} entries {rest} no ranks.")
    if not sentences:
        return " Nothing can be compared yet."
    if len(sentences) == 1:
        return f" {sentences[0]}"
    return "\n\n" + "\n".join(f"- {s}" for s in sentences)


def _of_means(table: Table) -> list[str]:
    """The means over data sets come first: they are what most readers look for."""
    means = mean_table(table)
    if means is None:
        return []
    say = _best if means.reference is None else _with_reference
    return [say(means, c, average_lead(table, c)) for c in means.columns]


def _where(table: Table, column: Column) -> str:
    """How a sentence names its column; nothing where a single column says nothing new."""
    label = escape(column)
    if table.column_axes == ("fraction",) and len(table.columns) > 1 and label[0].isdigit():
        return f"at fraction {label},"
    where = in_column(label)
    single = len(table.columns) == 1 and where.startswith("in")
    return f"{where}," if where and not single else ""


def _with_reference(table: Table, column: Column, lead: str = "") -> str:
    contrasts = [c.contrast for c in table.against if c.column == column]
    if not contrasts:
        return ""
    digits = contrast_digits(c.contrast for c in table.against)
    reference = escape(table.reference)
    decided = [c for c in contrasts if c.p_adjusted is not None and c.p_adjusted <= ALPHA]
    parts = []
    for sign in (-1, 1):  # rows that the reference beats first
        significant = [c for c in decided if sign * c.difference > 0]
        significant.sort(key=lambda c: -abs(c.difference))
        if significant:
            named = _first_few(significant)
            wins = [_win(c, reference, digits, first=i == 0) for i, c in enumerate(named)]
            parts.append(listing([*wins, *_other_gaps(significant[len(named) :], digits)]))
    undecided = [c for c in contrasts if c.p_adjusted is not None and c.p_adjusted > ALPHA]
    if undecided:
        parts.append(_undecided(undecided, reference, digits))
    untested = [c for c in contrasts if c.p_adjusted is None]
    if untested:
        parts.append(_descriptive(untested, reference, digits))
    parts += margin_clauses(table, column, contrasts, table.reference or "")
    return _sentence(f"{lead} {_where(table, column)}".strip(), "; ".join(parts))


def _win(c: Contrast, reference: str, digits: int, *, first: bool) -> str:
    """One significant difference; the first of a list names both rows and the unit."""
    ahead = c.difference > 0
    low, high = (c.low, c.high) if ahead else (_minus(c.high), _minus(c.low))
    winner, loser = (escape(c.a), reference) if ahead else (reference, escape(c.a))
    gap = points(abs(c.difference), digits)
    if first:
        what = f"{winner} beats {loser} by {gap} points"
    elif ahead:
        what = f"{winner} beats it by {gap}"
    else:
        what = f"{loser} by {gap}"
    assert c.p_adjusted is not None
    return f"{what} {interval(low, high, digits)} (adjusted p {equals(c.p_adjusted)})"


def _and_others(number: int) -> list[str]:
    return [f"{number} other rows"] if number else []


def _first_few(items: list[T]) -> list[T]:
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


def _best(table: Table, column: Column, lead: str = "") -> str:
    means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate) is not None}
    if not means:
        return ""
    # Of equal means the first row is named; the others are among those that are not worse.
    top = max(means, key=lambda r: means[r])
    e = table.entries[top, column].estimate
    assert e is not None
    digits = decimals([None if e.low is None or e.high is None else (e.high - e.low) / 2])
    bounds = interval(e.low, e.high, digits)
    text = f"{escape(top)} has the highest mean, {points(e.mean, digits)} points"
    text += f" {bounds}" if bounds else ""
    tied = [escape(r) for r in table.rows if (r, column) in table.bold and r != top]
    if len(tied) > _MOST_LISTED:  # the best of them are named
        by_mean = sorted(means, key=lambda r: -means[r])
        tied = [escape(r) for r in by_mean if escape(r) in tied]
    beaten = [escape(r) for r in means if r != top and (r, column) not in table.bold]
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
    pairs = (c.contrast for c in table.pairs if c.column == column)
    with_top = [c for c in pairs if top in (c.a, c.b)]
    text = "; ".join([text, *margin_clauses(table, column, with_top, top)])
    return _sentence(f"{lead} {_where(table, column)}".strip(), text)


def _over_draws(table: Table) -> list[str]:
    out = []
    for label in table.labels:
        parts = []
        for d in (d for d in table.draws if d.label == label):
            mean = sum(c.difference for c in d.contrasts.values()) / len(d.contrasts)
            parts.append(
                f"{escape(d.a)} minus {escape(d.b)} is {points(mean, 1, sign=True)} points on "
                f"average over {plural(len(d.contrasts), 'class draw')} (same sign in "
                f"{d.same_sign}, significant in {d.significant}"
                f"{within_margin(table, list(d.contrasts.values()))})"
            )
        if parts:
            out.append(_sentence(_where(table, Column(label)), "; ".join(parts)))
    return out


def _sentence(where: str, text: str) -> str:
    if not text:
        return ""
    whole = f"{where} {text}".strip()
    # A row's label keeps its case where it begins the sentence.
    own_words = where or text.startswith(("the difference from ", "the differences from "))
    return f"{whole[:1].upper()}{whole[1:]}." if own_words else f"{whole}."


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
