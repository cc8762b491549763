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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the variance of a mean, with its degrees of freedom."""

    variance: float
    df: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the variance of a mean over seeds and items comes from: mean squares as its parts."""

    seeds: Part
    groups: tuple[Part, ...]  # one of every stratum: of every data set that shares no items
    residual: tuple[Part, ...]  # the same
    known: float = 0.0  # of what shows no spread, which is no proof; no degrees of freedom to lose


@dataclass(frozen=True, slots=True)
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
    p_equivalent: float | None = None  # of equivalence within a margin, adjusted in its family
    level: float = 0.05  # of its interval; smaller where seeds were added under a sequential rule
    #: The pair's own, where two-way random effects tested it. Sums to the square of `se`, unless
    #: the variance of seeds was shared (see stats.moderated).
    spread: Spread | None = None
