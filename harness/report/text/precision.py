"""How many decimals the numbers of a table get: as many as their intervals support."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.outcomes import Contrast
from harness.report.model.table import Table
from harness.report.text.numbers import decimals


def table_digits(table: Table) -> int:
    """Decimals of the leaderboard, in points."""
    summaries = [table.summary(row, label) for row in table.rows for label in table.labels]
    return decimals(_half_width(s[1], s[2]) for s in summaries if s is not None)


def contrast_digits(contrasts: Iterable[Contrast]) -> int:
    """Decimals of the differences of these contrasts, in points."""
    return decimals(_half_width(c.low, c.high) for c in contrasts)


def _half_width(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else (high - low) / 2
