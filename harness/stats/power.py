"""What a study could find out: noncentral t throughout, two-sided tests."""

from __future__ import annotations

import math

import numpy as np

from harness.stats.student import t_quantile


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
