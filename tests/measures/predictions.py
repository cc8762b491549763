"""Predictions of random logits, in the form that measures are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

N, C = 200, 8
GROUPS_N = np.arange(N, dtype=np.int64)


def drawn(seed: int = 0) -> tuple[FloatArray, IntArray]:
    """(probabilities (N, C), labels (N,)): better than chance, and unequal numbers a class."""
    rng = np.random.default_rng(seed)
    labels_N = rng.integers(0, C, N) * rng.integers(0, 2, N)
    logits_NC = rng.normal(size=(N, C))
    logits_NC[np.arange(N), labels_N] += 1
    exp_NC = np.exp(logits_NC)
    return exp_NC / exp_NC.sum(axis=1, keepdims=True), labels_N


def predictions(probability_NC: FloatArray, labels_N: IntArray) -> Predictions:
    true_N = probability_NC[np.arange(len(labels_N)), labels_N]
    return Predictions(
        prediction=probability_NC.argmax(axis=1).astype(np.uint32),
        rank=(probability_NC > true_N[:, None]).sum(axis=1).astype(np.uint32),
        probability=true_N.astype(np.float32),
        confidence=probability_NC.max(axis=1).astype(np.float32),
    )
