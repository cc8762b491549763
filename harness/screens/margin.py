"""Margin before training: the cosine of a sample with its own row minus the highest other one."""

from __future__ import annotations

import numpy as np

from harness.core.protocols.screen import ScreenInputs

TITLE, UNIT = "Mean margin", ""


def compute(inputs: ScreenInputs) -> float | None:
    """The mean over samples; None with a single class, which has no other."""
    cosines_NC = inputs.cosines()
    if cosines_NC.shape[1] < 2:
        return None
    own_N1 = inputs.labels_N[:, None]
    own_N = np.take_along_axis(cosines_NC, own_N1, axis=1)[:, 0]
    others_NC = cosines_NC.copy()
    np.put_along_axis(others_NC, own_N1, -np.inf, axis=1)
    return float((own_N - others_NC.max(axis=1)).mean())
