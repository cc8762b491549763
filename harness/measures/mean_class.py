"""The mean over classes of their top-1 accuracy: every class counts alike, however large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    from harness.core.samples import IntArray

TITLE, UNIT = "Mean class accuracy", "fraction"
BETTER: Final = "higher"


def compute(predictions: Predictions, labels_N: IntArray, groups_N: IntArray) -> float:
    """Mean of the classes' accuracies, as a fraction; classes without test items play no part."""
    correct_N = predictions.rank == 0
    per_class = [correct_N[labels_N == c].mean() for c in np.unique(labels_N)]
    return float(np.mean(per_class))
