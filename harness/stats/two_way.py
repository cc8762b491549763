"""Two-way random effects: new seeds and new test items at once (S seeds, N items, G groups)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.clusters import group_deviations
from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, FloatArray, IntArray

#: Mean squares smaller than this part of the largest are rounding, not variance.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Of a table S x G with one value a cell; units are squared fractions."""

    seeds: float
    groups: float
    residual: float
    n_seeds: int
    n_groups: int
    borrowed_df: float = 0.0  # of the seeds' mean square, from other pairs (see `moderated`)

    def variance(self) -> tuple[float, float]:
        """(v, its degrees of freedom), where the variance of the table's mean is v / (S G).

        Degrees of freedom after Satterthwaite (Biometrics Bulletin 1946), at least 1.
        """
        a, b, e = self.seeds, self.groups, self.residual
        df_a, df_b = self.n_seeds - 1 + self.borrowed_df, self.n_groups - 1
        largest = max(a, b, e)
        v = a + b - e
        if v > ROUNDING * largest:
            spread = a**2 / df_a + b**2 / df_b + e**2 / self._df_residual
            return v, max(1.0, v**2 / spread)
        v, df = max((a, df_a), (b, df_b))
        if v > ROUNDING * largest:
            return v, df
        # A Latin square has neither seed nor group effects; its scatter must not count as none.
        return e, self._df_residual

    @property
    def _df_residual(self) -> int:
        return (self.n_seeds - 1) * (self.n_groups - 1)

    def part_of_items(self) -> float:
        """What v / (S G) keeps of itself, times S G, when the number of seeds is infinite."""
        return max(0.0, self.groups - self.residual)


@dataclass(frozen=True, slots=True)
class TwoWay:
    """The mean of a table with its t test, and where its variance comes from."""

    t: TTest
    squares: MeanSquares

    @property
    def share_seeds(self) -> float | None:
        """Part of the variance of the mean that more seeds would take away; None without any."""
        return share_of_seeds(self.squares)

    @property
    def share_items(self) -> float | None:
        """The other part, which only more test items would take away."""
        seeds = self.share_seeds
        return None if seeds is None else 1 - seeds


def share_of_seeds(squares: MeanSquares) -> float | None:
    """Part of the variance of the mean that more seeds would take away; None without any."""
    v, _ = squares.variance()
    return None if v == 0 else 1 - squares.part_of_items() / v


def two_way(
    x_SN: FloatArray | BoolArray | IntArray, groups_N: IntArray, *, confidence: float = 0.95
) -> TwoWay:
    """Mean over seeds and items of `x_SN`, as a draw from all seeds and all items.

    `x_SN` holds paired differences of correctness in {-1, 0, 1} (the test is then of equal
    methods) or correctness itself in {0, 1} (its interval is then that of an accuracy, and its p
    says nothing). Every item weighs the same, whatever the size of its group.

    The variance is that of a crossed two-way random-effects table without replication (Searle,
    Casella and McCulloch, Variance Components, 1992, chapter 4), on group sums (see
    `group_deviations`).

    Raises ValueError if shapes do not match or there are fewer than two seeds or two groups.
    """
    x_SN = np.asarray(x_SN, dtype=np.float64)
    t_SG = group_deviations(x_SN, groups_N)
    squares = mean_squares(t_SG)
    v, df = squares.variance()
    error = (v / t_SG.size) ** 0.5
    return TwoWay(t_test(float(x_SN.mean()), error, df, confidence=confidence), squares)


def mean_squares(t_SG: FloatArray) -> MeanSquares:
    """Analysis of variance of a table S x G with one value a cell.

    Raises ValueError if there are fewer than two seeds or two groups.
    """
    n_seeds, n_groups = t_SG.shape
    if n_seeds < 2 or n_groups < 2:
        raise ValueError(f"{n_seeds} seeds x {n_groups} groups: at least 2 x 2 are needed")
    t_SG = t_SG - t_SG.mean()
    mean_S = t_SG.mean(axis=1)
    mean_G = t_SG.mean(axis=0)
    rest_SG = t_SG - mean_S[:, None] - mean_G
    return MeanSquares(
        seeds=n_groups * float(mean_S @ mean_S) / (n_seeds - 1),
        groups=n_seeds * float(mean_G @ mean_G) / (n_groups - 1),
        residual=float(np.square(rest_SG).sum()) / ((n_seeds - 1) * (n_groups - 1)),
        n_seeds=n_seeds,
        n_groups=n_groups,
    )
