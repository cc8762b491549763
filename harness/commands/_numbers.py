"""Numbers on the command line."""

from __future__ import annotations

import math


def number_between(name: str, text: str, low: float, high: float) -> float:
    """A number above `low` and below `high`.

    Raises BadInput with one sentence.
    """
    from harness.core.errors import BadInput

    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low < value < high:
        raise BadInput(f"{name} {text}: is not a number above {low:g} and below {high:g}")
    return value
