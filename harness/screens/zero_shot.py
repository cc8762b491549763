"""Accuracy of W before training: how often a sample's class has the highest logit."""

from __future__ import annotations

import numpy as np

from harness.core.protocols.screen import ScreenInputs

TITLE, UNIT = "Zero-shot accuracy", "fraction"


def compute(inputs: ScreenInputs) -> float | None:
    """Of k classes that share the highest logit each counts as predicted 1/k times."""
    logits_NC = inputs.logits()
    best_NC = logits_NC == logits_NC.max(axis=1, keepdims=True)
    own_N = best_NC[np.arange(len(inputs.labels_N)), inputs.labels_N]
    return float((own_N / best_NC.sum(axis=1)).mean())
