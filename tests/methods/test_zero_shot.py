"""Zero-shot: cosines times the scale."""

from __future__ import annotations

import torch

from baselines import zero_shot
from harness.core.protocols.plugin import NoOptions

from .examples import SCALE, assert_logits, inputs, samples


def test_logits_are_cosines_times_the_scale() -> None:
    given, z_ND = inputs(), samples()
    expected_NC = torch.empty(len(z_ND), given.n_classes, dtype=torch.float64)
    for n, z_D in enumerate(z_ND):
        for c, w_D in enumerate(given.classifier()):
            expected_NC[n, c] = SCALE * (z_D @ w_D) / z_D.norm()
    assert_logits(zero_shot.logits(z_ND, zero_shot.fit(given, NoOptions())), expected_NC)
