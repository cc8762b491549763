"""mean_class, against scikit-learn's balanced accuracy."""

from __future__ import annotations

import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from harness.measures import mean_class

from .predictions import GROUPS_N, drawn, predictions


def test_every_class_counts_alike() -> None:
    probability_NC, labels_N = drawn()
    predicted_N = probability_NC.argmax(axis=1)
    value = mean_class.compute(predictions(probability_NC, labels_N), labels_N, GROUPS_N)
    assert value == pytest.approx(balanced_accuracy_score(labels_N, predicted_N))
    assert value != pytest.approx(accuracy_score(labels_N, predicted_N), abs=1e-3)
