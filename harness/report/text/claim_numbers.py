"""The numbers of a judged claim, in the unit of its measure."""

from __future__ import annotations

import math

from harness.report.model.claims import SAME_IN_EVERY_SEED, JudgedClaim
from harness.report.text.numbers import interval, points
from harness.report.text.precision import contrast_digits


def digits_of(j: JudgedClaim) -> int:
    """Decimals of its numbers, in points; losses and correlations have two more."""
    return contrast_digits([j.contrast] if j.contrast is not None else [])


def mean_of(j: JudgedClaim, value: float) -> str:
    """The mean of one of its rows."""
    digits = digits_of(j)
    if j.claim.measure == "top1":
        return points(value, digits)
    return f"{value:.0f}" if j.claim.measure == "steps" else f"{value:.{digits + 2}f}"


def difference_of(j: JudgedClaim) -> str:
    """First minus second with its interval; of steps, what the first is times the second."""
    c, digits = j.contrast, digits_of(j)
    if c is None:
        return ""
    if j.claim.measure == "top1":
        text = f"{points(c.difference, digits, sign=True)} "
        text += interval(c.low, c.high, digits, sign=True)
    elif j.claim.measure == "steps":  # of logarithms
        text = f"{math.exp(c.difference):.2f} times"
        if c.low is not None and c.high is not None:
            text += f" [{math.exp(c.low):.2f}, {math.exp(c.high):.2f}]"
    else:
        text = f"{c.difference:+.{digits + 2}f}"
        if c.low is not None and c.high is not None:
            text += f" [{c.low:+.{digits + 2}f}, {c.high:+.{digits + 2}f}]"
    if c.low is None and c.note == SAME_IN_EVERY_SEED:
        text += " in every seed"
    return text.strip()
