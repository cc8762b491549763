"""Paired t over seeds (estimand E1: this test set, new seeds), with an exact permutation check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

#: 2^19 sums are made in milliseconds; beyond, the t test needs no check.
MOST_FLIPS = 20
#: A spread that is a smaller part of the values is that of their last digits.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class PairedT:
    """`t` is None for seeds that are all equal: their spread is not known to be zero.

    `p_sign_flip` is None where there are too many seeds to list all sign flips.
    """

    t: TTest | None
    p_sign_flip: float | None


def paired_t(d_S: FloatArray, *, confidence: float = 0.95) -> PairedT:
    """The t test of the mean of `d_S`, one difference of accuracies a seed (fractions).

    It says nothing about other test items: under E2 its type-I error is up to ten times nominal.
    Source: Student, Biometrika 1908; sign flips: Fisher, The Design of Experiments, 1935.

    Raises ValueError if there are fewer than two seeds.
    """
    d_S = np.asarray(d_S, dtype=np.float64)
    if d_S.ndim != 1 or len(d_S) < 2:
        raise ValueError(f"differences {d_S.shape}: at least two seeds are needed")
    # Equal values leave a rounding error as their spread.
    if np.ptp(d_S) <= ROUNDING * np.abs(d_S).max():
        return PairedT(None, sign_flip_p(d_S))
    error = float(d_S.std(ddof=1)) / len(d_S) ** 0.5
    t = t_test(float(d_S.mean()), error, len(d_S) - 1, confidence=confidence)
    return PairedT(t, sign_flip_p(d_S))


def sign_flip_p(d_S: FloatArray) -> float | None:
    """Share of all 2^S sign patterns whose |sum| is at least that of `d_S`; None beyond 20 seeds.

    Its smallest value is 2 / 2^S.
    """
    if len(d_S) > MOST_FLIPS:
        return None
    # A pattern and its opposite have the same |sum|, so the first sign can stay.
    sums = np.array([d_S[0]])
    for d in d_S[1:]:
        sums = np.concatenate([sums + d, sums - d])
    # Equal sums differ by rounding with the order of their terms.
    slack = 1e-12 * float(np.abs(d_S).sum())
    return float(np.mean(np.abs(sums) >= abs(float(d_S.sum())) - slack))
