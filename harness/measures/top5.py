"""The share of test items whose true class is among the five with the largest logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    from harness.core.samples import IntArray

TITLE, UNIT = "Top-5 accuracy", "fraction"
BETTER: Final = "higher"


def compute(predictions: Predictions, labels_N: IntArray, groups_N: IntArray) -> float:
    """Top-5 accuracy as a fraction; 1 with five classes or fewer."""
    return float((predictions.rank < 5).mean())
