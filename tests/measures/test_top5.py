"""top5, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from harness.measures import top5

from .predictions import GROUPS_N, C, drawn, predictions


def test_it_is_the_top_5_accuracy() -> None:
    probability_NC, labels_N = drawn()
    value = top5.compute(predictions(probability_NC, labels_N), labels_N, GROUPS_N)
    expected = top_k_accuracy_score(labels_N, probability_NC, k=5, labels=np.arange(C))
    assert value == pytest.approx(expected)
    assert value < 1


def test_of_five_classes_every_one_is_among_the_first_five() -> None:
    probability_NC, labels_N = drawn()
    five_NC, few_N = probability_NC[:, :5], np.minimum(labels_N, 4)
    assert top5.compute(predictions(five_NC, few_N), few_N, GROUPS_N) == 1
