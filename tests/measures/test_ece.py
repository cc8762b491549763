"""ece: the gap of confidence and accuracy, bin by bin."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.protocols.measure import Predictions
from harness.measures import ece

from .predictions import GROUPS_N, drawn, predictions


def of(confidence: list[float], correct: list[bool]) -> float:
    """The error of these predictions."""
    n = len(confidence)
    given = Predictions(
        prediction=np.zeros(n, np.uint32),
        rank=np.where(correct, 0, 1).astype(np.uint32),
        probability=np.zeros(n, np.float32),
        confidence=np.array(confidence, np.float32),
    )
    labels_N = np.zeros(n, np.int64)
    return ece.compute(given, labels_N, np.arange(n, dtype=np.int64))


def test_it_is_the_weighted_gap_of_the_bins() -> None:
    """By a loop over 15 bins, each open at its end."""
    probability_NC, labels_N = drawn()
    confidence_N = probability_NC.max(axis=1)
    correct_N = probability_NC.argmax(axis=1) == labels_N
    expected = 0.0
    for b in range(15):
        inside_N = (confidence_N >= b / 15) & (confidence_N < (b + 1) / 15)
        if inside_N.any():
            gap = abs(confidence_N[inside_N].mean() - correct_N[inside_N].mean())
            expected += inside_N.mean() * gap
    value = ece.compute(predictions(probability_NC, labels_N), labels_N, GROUPS_N)
    assert value == pytest.approx(expected, abs=1e-6)
    assert value > 0.01


def test_one_bin_by_hand() -> None:
    assert of([0.5, 0.5], [True, False]) == pytest.approx(0)
    assert of([0.8, 0.8], [False, False]) == pytest.approx(0.8)


def test_a_confidence_of_1_belongs_to_the_last_bin() -> None:
    """Together half of them are right, with a mean confidence of 0.98; apart the gap was 0.52."""
    assert of([1.0, 0.96], [True, False]) == pytest.approx(0.48, abs=1e-6)
