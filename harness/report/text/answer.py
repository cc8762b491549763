"""The answer in plain words, computed from the contrasts. Undecided is never called equal."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.outcomes import Contrast
from harness.report.model.labels import Column
from harness.report.model.table import Claim, Table
from harness.report.text.numbers import decimals, detectable, equals, interval, points
from harness.report.text.prose import escape, listing
from harness.stats.family import ALPHA


def answer(table: Table) -> str:
    """What beats what, by how much, and what stays open: a sentence, or a list of one a column."""
    if table.draws:
        sentences = _over_draws(table)
    elif table.reference is not None:
        sentences = [_against(table, c) for c in table.columns]
    else:
        sentences = [_best(table, c) for c in table.columns]
    sentences = [s for s in sentences if s]
    late = sum(e.blocks for e in table.entries.values())
    if late:
        rest = (
            "is incomplete; its column carries"
            if late == 1
            else ("are incomplete; their columns carry")
        )
        sentences.append(f"{late} of {len(table.entries)} entries {rest} no ranks.")
    if not sentences:
        return " Nothing can be compared yet."
    if len(sentences) == 1:
        return f" {sentences[0]}"
    return "\n\n" + "\n".join(f"- {s}" for s in sentences)


def digits_of(claims: Sequence[Claim]) -> int:
    """Decimals for the differences of these claims, in points."""
    return decimals(
        None if c.low is None or c.high is None else (c.high - c.low) / 2
        for c in (claim.contrast for claim in claims)
    )


def _where(table: Table, column: Column) -> str:
    if column == Column("all"):
        return ""
    if len(table.columns) == 1 and "shot" not in column.label:
        return ""  # there is nothing to tell it from
    at = "at" if column.label[:1].isdigit() else "for"
    return f"{at} {escape(column)},"


def _against(table: Table, column: Column) -> str:
    claims = [c for c in table.against if c.column == column]
    if not claims:
        return ""
    digits, reference = digits_of(table.against), escape(table.reference)
    found = [c.contrast for c in claims]
    tested = [c for c in found if c.p_adjusted is not None]
    parts = []
    for sign in (-1, 1):  # what the reference beats stands first
        won = [c for c in tested if c.p_adjusted is not None and c.p_adjusted <= ALPHA]
        won = [c for c in won if sign * c.difference > 0]
        won.sort(key=lambda c: -abs(c.difference))
        if won:
            parts.append(listing([_win(c, reference, digits, i) for i, c in enumerate(won)]))
    open_ = [c for c in tested if c.p_adjusted is not None and c.p_adjusted > ALPHA]
    if open_:
        parts.append(_undecided(open_, reference, digits))
    untested = [c for c in found if c.p_adjusted is None]
    if untested:
        parts.append(_descriptive(untested, reference, digits))
    where = _where(table, column)
    return _sentence(where, "; ".join(parts))


def _win(c: Contrast, reference: str, digits: int, position: int) -> str:
    ahead = c.difference > 0
    low, high = (c.low, c.high) if ahead else (_minus(c.high), _minus(c.low))
    winner, loser = (escape(c.a), reference) if ahead else (reference, escape(c.a))
    if position == 0:
        what = f"{winner} beats {loser} by {points(abs(c.difference), digits)} points"
    elif ahead:
        what = f"{winner} beats it by {points(abs(c.difference), digits)}"
    else:
        what = f"{loser} by {points(abs(c.difference), digits)}"
    assert c.p_adjusted is not None
    return f"{what} {interval(low, high, digits)} (adjusted p {equals(c.p_adjusted)})"


def _undecided(open_: Sequence[Contrast], reference: str, digits: int) -> str:
    # An interval is not adjusted and may leave out 0 here: the p that decides stands beside it.
    names = listing(
        [
            f"{escape(c.a)} ({points(c.difference, digits, sign=True)}, "
            f"adjusted p {equals(c.p_adjusted)})"
            for c in open_
            if c.p_adjusted is not None
        ]
    )
    text = f"{names} could not be told apart from {reference}"
    found = sorted(c.smallest_detectable for c in open_ if c.smallest_detectable is not None)
    if not found:
        return text
    ends = list(dict.fromkeys(detectable(s, digits) for s in (found[0], found[-1])))
    noun = "difference" if len(open_) == 1 else "differences"
    return f"{text} (smallest detectable {noun}: {' to '.join(ends)} points)"


def _descriptive(untested: Sequence[Contrast], reference: str, digits: int) -> str:
    gaps = [
        f"{escape(c.a)} {points(c.difference, digits, sign=True)}"
        + (f" {span}" if (span := interval(c.low, c.high, digits, sign=True)) else "")
        for c in untested
    ]
    seeds = min(c.seeds for c in untested)
    why = "without common seeds" if not seeds else f"with {seeds} seed{'s' * (seeds != 1)}"
    return (
        f"{why} the differences to {reference} are descriptive and carry no p (points: "
        f"{listing(gaps)})"
    )


def _best(table: Table, column: Column) -> str:
    means = {r: e.mean for r in table.rows if (e := table.entries[r, column].estimate) is not None}
    if not means:
        return ""
    top = max(means, key=lambda r: means[r])
    e = table.entries[top, column].estimate
    assert e is not None
    digits = decimals([None if e.low is None or e.high is None else (e.high - e.low) / 2])
    span = interval(e.low, e.high, digits)
    text = f"{escape(top)} has the highest mean, {points(e.mean, digits)} points"
    text += f" {span}" if span else ""
    tied = [escape(r) for r in table.rows if (r, column) in table.bold and r != top]
    beaten = [escape(r) for r in means if r != top and (r, column) not in table.bold]
    if (top, column) in table.bold:
        if tied:
            text += f"; {listing(tied)} could not be told apart from it"
        if beaten:
            whom = listing(beaten) if len(beaten) < 5 else f"the other {len(beaten)}"
            text += f"; it beats {whom} (adjusted p at most {ALPHA})"
    elif len(means) > 1:
        text += "; no ranking can be given"
    return _sentence(_where(table, column), text)


def _over_draws(table: Table) -> list[str]:
    out = []
    for label in table.labels:
        parts = []
        for d in (d for d in table.draws if d.label == label):
            gap = points(sum(c.difference for c in d.contrasts.values()) / len(d.contrasts), 1,
                         sign=True)  # fmt: skip
            parts.append(
                f"{escape(d.a)} minus {escape(d.b)} is {gap} points on average, with the same "
                f"sign in {d.same_sign} and significant in {d.significant} of "
                f"{len(d.contrasts)} class draws"
            )
        if parts:
            out.append(_sentence(_where(table, Column(label)), "; ".join(parts)))
    return out


def _sentence(where: str, text: str) -> str:
    if not text:
        return ""
    whole = f"{where} {text}".strip()
    return f"{whole[:1].upper()}{whole[1:]}." if where else f"{whole}."


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
