"""What a study could find out: noncentral t throughout, two-sided tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.student import t_quantile

if TYPE_CHECKING:
    from harness.stats.two_way import MeanSquares


def t_power(noncentrality: float, df: float, *, alpha: float = 0.05) -> float:
    """Chance that a t test at `alpha` finds a difference of `noncentrality` standard errors.

    Source: Cohen, Statistical Power Analysis, 1988.
    """
    from scipy.special import nctdtr, ndtr

    t, shift = t_quantile(df, 1 - alpha), abs(noncentrality)
    if math.isinf(df):
        return float(ndtr(shift - t) + ndtr(-shift - t))
    # Where nctdtr should underflow to 0 it gives NaN (scipy 1.17).
    missed, wrong_side = np.nan_to_num(nctdtr(df, shift, np.array([t, -t]))).tolist()
    return float(1 - missed + wrong_side)


def smallest_detectable(
    standard_error: float, df: float, *, alpha: float = 0.05, m: int = 1, power: float = 0.8
) -> float:
    """The true difference that a test finds with chance `power`, in units of `standard_error`'s.

    `m` is the number of claims of the family: the test is then at alpha/m, which is what the
    first step of Holm asks for.

    Raises ValueError if the standard error is negative or `df` is not positive.
    """
    if not (standard_error >= 0 and df > 0):
        raise ValueError(f"no power with standard error {standard_error} and df {df}")
    from scipy.special import nctdtrinc, ndtri

    t = t_quantile(df, 1 - alpha / m)
    if math.isinf(df):
        return standard_error * (t + float(ndtri(power)))
    # The tail on the wrong side is below 1e-6 wherever power is above a half.
    return standard_error * float(nctdtrinc(df, 1 - power, t))


def seeds_needed(difference: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Seeds for a paired t test to find `difference`, in standard deviations between seeds.

    Raises ValueError if the difference is zero or not finite.
    """
    difference = abs(difference)
    if not 0 < difference < math.inf:
        raise ValueError(f"no number of seeds finds a difference of {difference}")
    # The normal test needs fewer, so the search starts at its number.
    seeds = max(
        2, math.floor(smallest_detectable(1 / difference, math.inf, alpha=alpha, power=power) ** 2)
    )
    while t_power(difference * seeds**0.5, seeds - 1, alpha=alpha) < power:
        seeds += 1
    return seeds


def standard_error_at(
    squares: MeanSquares, *, seeds: float = math.inf, groups: float | None = None
) -> float:
    """The standard error that a study of another size would have; None keeps the groups.

    Infinitely many seeds leave what only more test items could take away. Variance components
    come from the mean squares, negative ones as zero.

    Raises ValueError if a number is below one.
    """
    groups = squares.n_groups if groups is None else groups
    if not (seeds >= 1 and groups >= 1):
        raise ValueError(f"{seeds} seeds x {groups} groups are no study")
    of_seeds = max(0.0, squares.seeds - squares.residual) / squares.n_groups
    of_groups = squares.part_of_items() / squares.n_seeds
    of_cells = squares.residual
    return math.sqrt(of_seeds / seeds + of_groups / groups + of_cells / (seeds * groups))
