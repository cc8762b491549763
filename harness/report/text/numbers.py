"""Numbers as a report prints them: points (0 to 100), rounded to what the interval supports."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import median

LEAST_P = 0.001
#: Decimals of points that are exact: rounding errors of means are far below them.
_EXACT = 9

#: Marks of rows that are significantly above or below the reference.
UP, DOWN = "\u2191", "\u2193"


def decimals(half_widths: Iterable[float | None]) -> int:
    """Decimals for points, so that half an interval (a fraction) keeps two digits; at most 2.

    One number for a whole table, from the median interval; 1 where there is none.
    """
    known = [100 * h for h in half_widths if h is not None and h > 0]
    if not known:
        return 1
    return min(2, max(0, 1 - math.floor(math.log10(median(known)))))


def points(fraction: float, digits: int, *, sign: bool = False) -> str:
    """A fraction in points; zero after rounding has no sign.

    A half is rounded to the even digit. Of 200 items and 10 seeds every second mean is one, and
    the same mean may be 66.35 or 66.35000000000001, by the order in which it was summed.
    """
    exact = Decimal(repr(round(100 * fraction, _EXACT)))
    value = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    return f"{value or abs(value):{'+' if sign and value else ''}.{digits}f}"


def interval(low: float | None, high: float | None, digits: int, *, sign: bool = False) -> str:
    """`[low, high]` in points, or nothing."""
    if low is None or high is None:
        return ""
    return f"[{points(low, digits, sign=sign)}, {points(high, digits, sign=sign)}]"


def probability(p: float | None) -> str:
    """A p-value with two digits; nothing where there is none."""
    if p is None:
        return ""
    if p < LEAST_P:
        return f"< {LEAST_P}"
    if p >= 0.995:
        return "1"
    # A p of 0.0502 must not be printed as 0.05 next to a verdict of "not significant".
    return f"{p:.2g}" if (p > 0.05) == (float(f"{p:.2g}") > 0.05) else f"{p:.4f}"


def equals(p: float) -> str:
    """`p = 0.012` or `p < 0.001`, without the p."""
    text = probability(p)
    return text if text.startswith("<") else f"= {text}"


def detectable(smallest: float | None, digits: int) -> str:
    """A smallest detectable difference in points. No difference is larger than 100."""
    if smallest is None:
        return ""
    return "over 100" if smallest > 1 else points(smallest, digits)


def margin_points(margin: float) -> str:
    """A margin (a fraction) in points, with the digits that the task gives it."""
    return f"{100 * margin:.10g}"


def percent(share: float | None) -> str:
    return "" if share is None else f"{round(100 * share)}%"


def count(value: float | None) -> str:
    """Parameters or operations: 1,234 · 57.3 M · 11.3 G."""
    if value is None:
        return ""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:,.0f}"


def span(values: Iterable[int | None]) -> str:
    """`5`, or `5 to 10` where they differ."""
    known = sorted({v for v in values if v is not None})
    if not known:
        return "none"
    return f"{known[0]:,}" if len(known) == 1 else f"{known[0]:,} to {known[-1]:,}"
