"""Inputs and results of the statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, IntArray


@dataclass(frozen=True)
class Outcomes:
    """A row of the leaderboard as the statistics read it: correctness by seed and item.

    Deterministic rows have one seed, None. `groups_N` gives the group of every item; items of one
    group were sampled together.
    """

    correct_SN: BoolArray
    seeds: tuple[int | None, ...]
    groups_N: IntArray


@dataclass(frozen=True)
class Estimate:
    """One row's accuracy with its interval, as fractions."""

    mean: float
    low: float | None
    high: float | None
    seeds: int
    items: int
    groups: int
    method: str


@dataclass(frozen=True)
class Contrast:
    """Row a minus row b on the same seeds and items. Differences are fractions."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    seeds: int
    items: int
    groups: int
    estimand: str
    test: str
    smallest_detectable: float | None = None
    share_seeds: float | None = None  # share of the variance that more seeds would remove
    note: str = ""
    se: float | None = None  # standard error of the difference
    df: float | None = None  # of its t test; infinite for a normal one
    level: float = 0.05  # of its interval; smaller where seeds were added under a sequential rule
    #: Of seeds, groups and the residual: the pair's own, where two-way random effects tested it.
    mean_squares: tuple[float, float, float] | None = None
