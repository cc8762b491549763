"""random: standard normal rows that follow the seed."""

from __future__ import annotations

import torch

from harness.classifiers import random
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import PLAIN


def test_it_is_standard_normal_and_follows_the_seed() -> None:
    large = ClassifierInputs(500, 200, torch.Generator().manual_seed(0))
    w_CD = random.build(large, PLAIN)
    assert abs(float(w_CD.mean())) < 0.01
    assert abs(float(w_CD.std()) - 1) < 0.01
    again = ClassifierInputs(500, 200, torch.Generator().manual_seed(0))
    assert torch.equal(w_CD, random.build(again, PLAIN))
