"""Two-way random effects: new seeds and new test items at once (S seeds, N items, G groups)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Part, Spread
from harness.stats import spread
from harness.stats.clusters import group_deviations
from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Of a table S x G with one value a cell; units are squared fractions."""

    seeds: float
    groups: float
    residual: float
    n_seeds: int
    n_groups: int

    def spread(self) -> Spread:
        """Of the variance of the table's mean."""
        df_a, df_b, cells = self.n_seeds - 1, self.n_groups - 1, self.n_seeds * self.n_groups
        groups, residual = Part(self.groups / cells, df_b), Part(self.residual / cells, df_a * df_b)
        return Spread(Part(self.seeds / cells, df_a), (groups,), (residual,))


@dataclass(frozen=True, slots=True)
class TwoWay:
    """The mean of a table with its t test, and where its variance comes from."""

    t: TTest
    squares: MeanSquares

    @property
    def share_seeds(self) -> float | None:
        """Part of the variance of the mean that more seeds would take away; None without any."""
        return spread.share_of_seeds(self.squares.spread())

    @property
    def share_items(self) -> float | None:
        """The other part, which only more test items would take away."""
        seeds = self.share_seeds
        return None if seeds is None else 1 - seeds


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
    v = spread.combined(squares.spread())
    t = t_test(float(x_SN.mean()), v.variance**0.5, v.df, confidence=confidence)
    return TwoWay(t, squares)


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
        seeds=n_groups * float(np.square(mean_S).sum()) / (n_seeds - 1),
        groups=n_seeds * float(np.square(mean_G).sum()) / (n_groups - 1),
        residual=float(np.square(rest_SG).sum()) / ((n_seeds - 1) * (n_groups - 1)),
        n_seeds=n_seeds,
        n_groups=n_groups,
    )
