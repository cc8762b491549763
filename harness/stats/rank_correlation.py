"""Rank correlation within columns: does a number order candidates as their outcomes do?

Spearman's rho and Kendall's tau-b of a column's candidates; of several columns their mean. The
interval is a percentile bootstrap over candidates: one that is drawn twice counts twice in every
column that has it. Letters of shapes: B draws, J candidates, K those of a column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

    #: (B,) coefficients of a column, one for each line of weights (B, K); not a number where either
    #: number is the same for all candidates.
    _Coefficient = Callable[["ColumnRanks", FloatArray], FloatArray]

#: With fewer candidates a column has no correlation worth the name.
FEWEST = 3
#: With fewer candidates in all an interval fails too often: with 5 in 15% of simulated columns.
FEWEST_FOR_INTERVAL = 6
DRAWS = 2000


@dataclass(frozen=True)
class ColumnRanks:
    """A number and the outcome of the candidates of a column; `candidate_K` numbers them, so that
    a candidate of several columns is known as one.
    """

    number_K: FloatArray
    outcome_K: FloatArray
    candidate_K: IntArray


@dataclass(frozen=True)
class RankCorrelation:
    """The mean over `columns`, its 95% interval, and the least and the greatest of the columns."""

    mean: float
    low: float | None
    high: float | None
    columns: int
    candidates: int
    least: float
    greatest: float


def spearman(columns: Sequence[ColumnRanks], *, seed: int = 0) -> RankCorrelation | None:
    """The mean of Spearman's rho; None where no column has one."""
    return _over_columns(columns, _rho, seed)


def kendall(columns: Sequence[ColumnRanks], *, seed: int = 0) -> RankCorrelation | None:
    """The mean of Kendall's tau-b; None where no column has one."""
    return _over_columns(columns, _tau, seed)


def _over_columns(
    columns: Sequence[ColumnRanks], coefficient: _Coefficient, seed: int
) -> RankCorrelation | None:
    known, own = [], []
    for column in columns:
        if len(column.number_K) >= FEWEST:
            (value,) = coefficient(column, np.ones((1, len(column.number_K))))
            if not np.isnan(value):
                known.append(column)
                own.append(float(value))
    if not known:
        return None
    candidates_J = np.unique(np.concatenate([c.candidate_K for c in known]))
    low, high = None, None
    if len(candidates_J) >= FEWEST_FOR_INTERVAL:
        low, high = _bootstrap(known, candidates_J, coefficient, seed)
    mean = float(np.mean(own))
    return RankCorrelation(mean, low, high, len(own), len(candidates_J), min(own), max(own))


def _bootstrap(
    columns: Sequence[ColumnRanks], candidates_J: IntArray, coefficient: _Coefficient, seed: int
) -> tuple[float | None, float | None]:
    """Draws in which no column is defined are left out, and columns of a draw that are not."""
    j = len(candidates_J)
    times_BJ = np.random.default_rng(seed).multinomial(j, np.full(j, 1 / j), size=DRAWS)
    values = []
    for column in columns:
        place_K = np.searchsorted(candidates_J, column.candidate_K)
        values.append(coefficient(column, times_BJ[:, place_K].astype(float)))
    value_CB = np.stack(values)
    defined_B = ~np.isnan(value_CB).all(axis=0)
    if not defined_B.any():
        return None, None
    mean_B = np.nanmean(value_CB[:, defined_B], axis=0)
    low, high = np.percentile(mean_B, [2.5, 97.5])
    return float(low), float(high)


def _rho(column: ColumnRanks, times_BK: FloatArray) -> FloatArray:
    """Spearman's rho: Pearson's of the mid-ranks, each candidate counted so many times."""
    x_BK, y_BK = (_ranks(v, times_BK) for v in (column.number_K, column.outcome_K))
    n_B1 = times_BK.sum(axis=1, keepdims=True).clip(min=1)
    x_BK = x_BK - (times_BK * x_BK).sum(axis=1, keepdims=True) / n_B1
    y_BK = y_BK - (times_BK * y_BK).sum(axis=1, keepdims=True) / n_B1
    xy_B, xx_B, yy_B = ((times_BK * v).sum(axis=1) for v in (x_BK * y_BK, x_BK**2, y_BK**2))
    return _ratio(xy_B, xx_B * yy_B)


def _ranks(value_K: FloatArray, times_BK: FloatArray) -> FloatArray:
    """(B, K) mid-ranks: how many are lower, and half of those that are equal."""
    lower_KK = (value_K[None, :] < value_K[:, None]).astype(float)
    equal_KK = (value_K[None, :] == value_K[:, None]).astype(float)
    return np.asarray(times_BK @ (lower_KK + equal_KK / 2).T)


def _tau(column: ColumnRanks, times_BK: FloatArray) -> FloatArray:
    """Kendall's tau-b, each candidate counted so many times."""
    x_KK, y_KK = (np.sign(v[:, None] - v[None, :]) for v in (column.number_K, column.outcome_K))
    xy_B, xx_B, yy_B = (
        ((times_BK @ pairs_KK) * times_BK).sum(axis=1)
        for pairs_KK in (x_KK * y_KK, x_KK**2, y_KK**2)
    )
    return _ratio(xy_B, xx_B * yy_B)


def _ratio(above_B: FloatArray, square_B: FloatArray) -> FloatArray:
    """Not a number where the square below is 0, but for rounding."""
    defined_B = square_B > 1e-12
    return np.where(defined_B, above_B / np.sqrt(np.where(defined_B, square_B, 1.0)), np.nan)
