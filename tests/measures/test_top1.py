"""top1, against scikit-learn."""

from __future__ import annotations

import pytest
from sklearn.metrics import accuracy_score

from harness.measures import top1

from .predictions import GROUPS_N, drawn, predictions


def test_it_is_the_accuracy() -> None:
    probability_NC, labels_N = drawn()
    found = top1.compute(predictions(probability_NC, labels_N), labels_N, GROUPS_N)
    assert found == pytest.approx(accuracy_score(labels_N, probability_NC.argmax(axis=1)))
    assert 0.2 < found < 0.9
