"""Several claims at once."""

from __future__ import annotations

from collections.abc import Sequence

#: The level of a family: of a false difference, and of a false equivalence.
ALPHA = 0.05


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Step-down adjusted p in the order given (Holm, Scandinavian Journal of Statistics 1979).

    None marks a comparison without a test: it stays None and does not count as one.

    Raises ValueError for a p outside [0, 1].
    """
    given = sorted((value, i) for i, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    largest = 0.0
    for step, (value, i) in enumerate(given):
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is no p")
        # No claim may come out stronger than one with a smaller p.
        largest = max(largest, min(1.0, value * (len(given) - step)))
        adjusted[i] = largest
    return adjusted
