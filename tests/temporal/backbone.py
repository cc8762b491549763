"""Modules over time inside a tower: putting them in, moving their weights, features of clips."""

from __future__ import annotations

from typing import Any

import torch

from harness.core import registry
from harness.core.protocols.temporal import Temporal, TemporalInputs

from .towers import Tower

B, T = 2, 3
TOKEN_T1D, T1D = (registry.load(Temporal, name) for name in ("token_t1d", "t1d"))


def insert(
    plugin: Temporal, encoder: Tower, frames: int = T, **options: Any
) -> list[torch.nn.Parameter]:
    inputs = TemporalInputs(16, frames, torch.Generator().manual_seed(0))
    return list(plugin.insert(encoder.module, inputs, plugin.Options(**options)))


def shaken(parameters: list[torch.nn.Parameter]) -> None:
    stream = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for value in parameters:
            value.add_(0.3 * torch.randn(value.shape, generator=stream))


def features(encoder: Tower, frames: int = T) -> torch.Tensor:
    with torch.no_grad():
        return encoder.features(encoder.clips(B, frames))
