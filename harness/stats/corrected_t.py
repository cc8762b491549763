"""The corrected resampled t test: two methods on overlapping splits of one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

#: With fewer splits the comparison is descriptive.
LEAST_SPLITS = 4
#: A spread that is a smaller part of the values is that of their last digits.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class CorrectedT:
    """`t` is None where there are too few splits for a test, or they do not differ. Fractions."""

    mean: float
    splits: int
    t: TTest | None


def corrected_t(d_J: FloatArray, test_to_train: float, *, confidence: float = 0.95) -> CorrectedT:
    """Test of the mean of `d_J`, one difference of accuracies a split, of J splits that overlap.

    Training sets share items, so the splits are not independent and 1/J is too small a factor:
    the variance is (1/J + n_test/n_train) times that between splits, with J - 1 degrees of
    freedom (Nadeau and Bengio, Machine Learning 2003). `test_to_train` is n_test/n_train. Three
    splits or fewer, or values without spread, which is no proof of it: the mean only.

    Raises ValueError if there is no split or the ratio is not positive.
    """
    d_J = np.asarray(d_J, dtype=np.float64)
    if d_J.ndim != 1 or len(d_J) < 1 or not 0 < test_to_train < np.inf:
        raise ValueError(f"differences {d_J.shape} with n_test/n_train = {test_to_train}")
    mean, splits = float(d_J.mean()), len(d_J)
    # Equal values leave a rounding error as their spread.
    if splits < LEAST_SPLITS or np.ptp(d_J) <= ROUNDING * np.abs(d_J).max():
        return CorrectedT(mean, splits, None)
    error = ((1 / splits + test_to_train) * float(d_J.var(ddof=1))) ** 0.5
    return CorrectedT(mean, splits, t_test(mean, error, splits - 1, confidence=confidence))
