"""The sentences on what the accuracy claims of a page could show, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.claim_power import POWER, TARGET, ClaimPower
from harness.report.text.counts import counted
from harness.report.text.numbers import detectable, margin_points, percent, span
from harness.report.text.prose import escape

#: Decimals of smallest differences, which come from estimated variances.
DIGITS = 1
#: More comparisons than these are counted and not named.
MOST_NAMED = 3


def power_text(found: Sequence[ClaimPower], m: int) -> str:
    """How many comparisons could tell TARGET at the level of the page."""
    able = sum(p.is_able for p in found)
    size = margin_points(TARGET)
    return (
        f"At this page's level, 0.05/{m}, and with a power of {percent(POWER)}, {able} of "
        f"{counted([len(found)], 'different comparison')} of accuracies could tell {size} points: "
        f"find a true difference of {size} or, for a claim of equality, show two equally accurate "
        "rows to be equal within its margin. The tables below have the smallest difference of each "
        "claim. For the others, what would be enough:"
    )


#: Below the table.
BELOW = (
    "Comparisons are counted once in each table of the paper. Smallest: a true difference, or the "
    "margin of a claim of equality, in points. Seeds: with today's test items; classes or items: "
    "with today's seeds. A group is several classes or items that were sampled together, as the "
    "motions of one object. These are estimates, from how much the differences vary over the seeds "
    "and items of today."
)


def able_text(found: Sequence[ClaimPower]) -> str:
    """How many of a table's comparisons could tell it, and which these are."""
    able = [p.claim for p in found if p.is_able]
    named = [
        f"{escape(j.claim.a)} against {escape(j.claim.b)}"
        + (f", {escape(j.column)}" if j.column else "")
        for j in able[:MOST_NAMED]
    ]
    if more := len(able) - len(named):
        named.append(f"{more} more")
    return f"{len(able)} ({'; '.join(named)})" if named else "0"


def ends(values: Sequence[float]) -> str:
    """`3.1` or `2.5 to 4.0`, in points."""
    return " to ".join(dict.fromkeys(detectable(v, DIGITS) for v in (min(values), max(values))))


def seeds_missing(lacking: Sequence[ClaimPower]) -> str:
    """How many seeds the comparisons of a table need."""
    planned = [p for p in lacking if p.floor is not None and p.random_seeds]
    enough = [p for p in planned if p.seeds_needed is not None]
    floors = [p.floor for p in planned if p.seeds_needed is None and p.floor is not None]
    parts = []
    if enough:
        parts.append(f"{span(p.seeds_needed for p in enough)} for {len(enough)}{_today(enough)}")
    if floors:
        parts.append(f"no number for {len(floors)} (infinitely many find {ends(floors)})")
    if fixed := sum(not p.random_seeds for p in lacking):
        parts.append(f"no seed is random in {fixed}")
    return "; ".join([*parts, *_unknown(lacking)])


def items_missing(lacking: Sequence[ClaimPower]) -> str:
    """How many classes or items the comparisons of a table need."""
    planned = [p for p in lacking if p.floor is not None]
    parts = []
    for unit in dict.fromkeys(p.unit for p in planned):
        of_unit = [p for p in planned if p.unit == unit]
        enough = [p for p in of_unit if p.groups_needed is not None]
        if enough:
            needed = counted((p.groups_needed for p in enough), unit)
            today = span(p.groups for p in enough)
            parts.append(f"{needed} for {len(enough)} (today {today})")
        if never := len(of_unit) - len(enough):
            parts.append(f"no number for {never}")
    return "; ".join([*parts, *_unknown(lacking)])


def _today(found: Sequence[ClaimPower]) -> str:
    return f" (today {span(p.seeds for p in found)})"


def _unknown(lacking: Sequence[ClaimPower]) -> list[str]:
    unknown = sum(p.floor is None for p in lacking)
    return [f"not known for {unknown}"] if unknown else []
