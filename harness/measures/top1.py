"""The share of test items whose true class has the largest logit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    from harness.core.samples import IntArray

TITLE, UNIT = "Top-1 accuracy", "fraction"
BETTER: Final = "higher"


def compute(predictions: Predictions, labels_N: IntArray, groups_N: IntArray) -> float:
    """Top-1 accuracy as a fraction."""
    return float((predictions.rank == 0).mean())
