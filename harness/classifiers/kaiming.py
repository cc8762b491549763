"""Kaiming normal rows, N(0, 2/D) (He et al. 2015): the random start of ZS-LP and of many heads.

As torch.nn.init.kaiming_normal_ draws them for a weight (C, D). The draw is that of `random` times
sqrt(2 / D), so the two are one start wherever rows are brought to one length, as in vision_text and
under `start_norm: unit`. They differ with `start_norm: raw`, where the length counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD of independent normals with variance 2 / D."""
    import torch

    w_CD = torch.randn(inputs.n_classes, inputs.dim, generator=inputs.generator)
    std: float = (2 / inputs.dim) ** 0.5
    return w_CD * std
