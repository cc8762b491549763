"""nll, against scikit-learn's log loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from harness.measures import nll

from .predictions import GROUPS_N, C, drawn, predictions


def test_it_is_the_log_loss() -> None:
    probability_NC, labels_N = drawn()
    value = nll.compute(predictions(probability_NC, labels_N), labels_N, GROUPS_N)
    expected = log_loss(labels_N, probability_NC, labels=np.arange(C))
    assert value == pytest.approx(expected, rel=1e-6)


def test_a_probability_of_zero_counts_as_the_smallest() -> None:
    probability_NC, labels_N = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    value = nll.compute(predictions(probability_NC, labels_N), labels_N, np.arange(2))
    assert value == pytest.approx(-math.log(1e-12) / 2, rel=1e-6)
