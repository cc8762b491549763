"""Classes, embeddings and what a head is built of, for the tests of paradigms."""

from __future__ import annotations

from typing import Any

import torch

from harness.core.protocols.paradigm import HeadInputs

C, D, B, SCALE = 6, 16, 5, 10.0


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def inputs(**changes: Any) -> HeadInputs:
    settings = {"w_CD": noise(C, D, seed=1), "train_logit_scale": True} | changes
    return HeadInputs(C, D, torch.Generator().manual_seed(0), SCALE, **settings)
