"""Two-way random effects of all pairs of many studies at once (B studies, P pairs).

The same arithmetic as harness.stats.two_way and harness.stats.moderated, over arrays;
tests/test_tail_benchmark.py compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, ndtri, polygamma, stdtr

from benchmarks.tail_worlds import Array, Tables
from harness.stats.moderated import LEAST_PAIRS, MOST_PRIOR_DF

#: Of prior degrees of freedom, to invert trigamma: logarithmic, as fine as a simulation needs.
GRID = np.exp(np.linspace(np.log(1e-3), np.log(MOST_PRIOR_DF), 4000))


@dataclass(frozen=True)
class Tests:
    """Of every pair: the difference, its standard error and degrees of freedom."""

    __test__ = False

    difference_BP: Array
    error_BP: Array
    df_BP: Array

    def p(self, shift: Array | float = 0.0) -> Array:
        """Two-sided, of the differences moved by `shift`."""
        d_BP = self.difference_BP + shift
        with np.errstate(divide="ignore", invalid="ignore"):
            p_BP = 2 * stdtr(self.df_BP, -np.abs(d_BP) / self.error_BP)
        return np.where(d_BP == 0, 1.0, np.nan_to_num(p_BP, nan=1.0))


def pairs(tables: Tables) -> tuple[Array, Array]:
    """The two rows of every pair."""
    i_P, j_P = np.triu_indices(tables.mean_BK.shape[1], 1)
    return i_P, j_P


def pair_tests(tables: Tables, *, moderated: bool) -> Tests:
    """All pairs, each by its own mean squares or with that of the seeds moderated."""
    i_P, j_P = pairs(tables)
    s, g = tables.n_seeds, tables.n_groups
    a, b, e = (
        np.maximum(0.0, m[:, i_P, i_P] + m[:, j_P, j_P] - 2 * m[:, i_P, j_P]) / df
        for m, df in (
            (tables.seeds_BKK, s - 1),
            (tables.groups_BKK, g - 1),
            (tables.residual_BKK, (s - 1) * (g - 1)),
        )
    )
    df_a = np.full(a.shape, s - 1.0)
    if moderated and len(i_P) >= LEAST_PAIRS:
        a, df_a = _moderated(a, s - 1)
    v = a + b - e
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = a**2 / df_a + b**2 / (g - 1) + e**2 / ((s - 1) * (g - 1))
        df = np.maximum(1.0, v**2 / spread)
    bad = v <= 1e-12 * np.maximum(np.maximum(a, b), e)
    v = np.where(bad, np.maximum(a, b), v)
    df = np.where(bad, np.where(a >= b, df_a, g - 1.0), df)
    difference_BP = tables.mean_BK[:, i_P] - tables.mean_BK[:, j_P]
    return Tests(difference_BP, (v / (s * g)) ** 0.5, df)


def _moderated(a_BP: Array, df: int) -> tuple[Array, Array]:
    positive = np.where(a_BP > 0, a_BP, np.nan)
    excess_B = np.nanvar(np.log(positive), axis=1, ddof=1) - polygamma(1, df / 2)
    prior_df = np.interp(-excess_B, -polygamma(1, GRID / 2), GRID)[:, None]
    prior = np.nanmedian(positive, axis=1, keepdims=True) * df / chdtri(df, 0.5)
    low = a_BP < prior
    raised = (prior_df * prior + df * a_BP) / (prior_df + df)
    return np.where(low, raised, a_BP), np.where(low, df + prior_df, df)


def any_false_pair(p_BP: Array, alpha: float = 0.05) -> float:
    """How often Holm's correction finds a difference: its first step decides."""
    return float((p_BP.min(axis=1) <= alpha / p_BP.shape[1]).mean())


def power(tests: Tests, alpha: float) -> float:
    """At true differences that a test with the known standard error would find with power 0.8."""
    shift_P = (ndtri(1 - alpha / 2) + ndtri(0.8)) * tests.difference_BP.std(axis=0)
    return float((tests.p(shift_P) <= alpha).mean())
