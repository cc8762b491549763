"""Clips for the modules behind the projection, and modules with every part moved."""

from __future__ import annotations

from typing import Any

import torch

from harness.core import registry
from harness.core.protocols.temporal import Temporal, TemporalInputs

B, T, D = 2, 5, 128
TAP, T_TRANS = (registry.load(Temporal, name) for name in ("tap", "t_trans"))


def build(
    plugin: Temporal, *, dim: int = D, frames: int = T, seed: int = 0, **options: Any
) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(seed)
    return plugin.build(TemporalInputs(dim, frames, generator), plugin.Options(**options))


def clips(dim: int = D, frames: int = T) -> torch.Tensor:
    return torch.randn(B, frames, dim, generator=torch.Generator().manual_seed(9))


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    """Biases and norms moved from 0 and 1, where a part that is left out would not be seen."""
    stream = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for value in module.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=stream))
    return module
