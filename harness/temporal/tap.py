"""Temporal average pooling (TAP; the paper's Table 2): the mean over the frames.

It has no parameters and does not see the order of the frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.temporal import TemporalInputs

if TYPE_CHECKING:
    import torch

PLACE = "embedding"


def build(inputs: TemporalInputs, options: NoOptions) -> torch.nn.Module:
    """A module from z_BTD to z_BD."""
    import torch

    class FrameMean(torch.nn.Module):
        def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
            return z_BTD.mean(dim=1)

    return FrameMean()
