"""Rows drawn from N(0, I) (Eq. 4): trivial correlations between classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD of independent standard normals."""
    import torch

    return torch.randn(inputs.n_classes, inputs.dim, generator=inputs.generator)
