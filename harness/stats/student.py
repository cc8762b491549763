"""Student's t: from a mean, its standard error and its degrees of freedom to a verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TTest:
    """A mean with its t interval and its two-sided p against zero. Fractions, not points."""

    mean: float
    standard_error: float
    df: float
    low: float
    high: float
    p: float


def t_test(mean: float, standard_error: float, df: float, *, confidence: float = 0.95) -> TTest:
    """Two-sided t test of `mean` against zero; `df` may be fractional or infinite.

    Without any spread (`standard_error` 0) the interval has no width and p is 1 for a mean of
    zero, otherwise 0, the limit.

    Raises ValueError for a negative standard error or degrees of freedom that are not positive.
    """
    if not (standard_error >= 0 and df > 0):
        raise ValueError(f"no t test with standard error {standard_error} and df {df}")
    if standard_error == 0:
        return TTest(mean, 0.0, df, mean, mean, 1.0 if mean == 0 else 0.0)
    from scipy.special import stdtr

    half = t_quantile(df, confidence) * standard_error
    p = 2 * float(stdtr(df, -abs(mean) / standard_error))
    return TTest(mean, standard_error, df, mean - half, mean + half, min(1.0, p))


def t_quantile(df: float, confidence: float = 0.95) -> float:
    """The |t| that a share `confidence` of the t distribution stays below."""
    from scipy.special import stdtrit

    # The lower tail keeps its digits where 1 - alpha / 2 would have rounded to 1.
    return -float(stdtrit(df, (1 - confidence) / 2))


def t_tail(t: float, df: float) -> float:
    """P(T >= t), the upper tail of the t distribution."""
    from scipy.special import stdtr

    return float(stdtr(df, -t))
