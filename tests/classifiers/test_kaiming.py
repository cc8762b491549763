"""kaiming: as torch draws it, and as `random` at another length."""

from __future__ import annotations

import torch

from harness.classifiers import kaiming, random

from .inputs import PLAIN, C, D, drawn


def test_it_is_that_of_torch() -> None:
    expected_CD = torch.empty(C, D)
    torch.nn.init.kaiming_normal_(expected_CD, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(kaiming.build(drawn(seed=3), PLAIN), expected_CD)


def test_its_directions_are_those_of_random() -> None:
    w_CD = random.build(drawn(), PLAIN) / 4.0  # sqrt(2 / 32)
    torch.testing.assert_close(kaiming.build(drawn(), PLAIN), w_CD)


def test_its_variance() -> None:
    w_CD = kaiming.build(drawn(400, 200), PLAIN)
    assert abs(w_CD.var().item() / (2 / 200) - 1) < 0.02
