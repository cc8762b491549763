"""The negative log-likelihood of the true class, the mean over test items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    from harness.core.samples import IntArray

TITLE, UNIT = "Negative log-likelihood", "nats"
BETTER: Final = "lower"
#: A probability of 0 would make one item outweigh all others.
SMALLEST = 1e-12


def compute(predictions: Predictions, labels_N: IntArray, groups_N: IntArray) -> float:
    """Mean of -log p(true class); a probability below 1e-12 counts as 1e-12."""
    return float(-np.log(np.maximum(predictions.probability, SMALLEST)).mean())
