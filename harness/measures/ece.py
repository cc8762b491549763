"""The expected calibration error: how far confidence is from accuracy (Guo et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    from harness.core.samples import IntArray

TITLE, UNIT = "Expected calibration error", "fraction"
BETTER: Final = "lower"
BINS = 15


def compute(predictions: Predictions, labels_N: IntArray, groups_N: IntArray) -> float:
    """Mean gap of confidence and accuracy over equal bins, weighted by their items."""
    correct_N = predictions.rank == 0
    confidence_N = predictions.confidence
    # A confidence of exactly 1 belongs to the last bin.
    bins_N = np.minimum((confidence_N * BINS).astype(int), BINS - 1)
    gaps = [
        (bins_N == b).mean() * abs(confidence_N[bins_N == b].mean() - correct_N[bins_N == b].mean())
        for b in np.unique(bins_N)
    ]
    return float(sum(gaps))
