"""The mean of each class's normalised support embeddings (Snell et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("support",)


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD: the mean embedding of each class."""
    import torch
    from torch.nn import functional as F

    z_ND, y_N = inputs.support()
    z_ND = F.normalize(z_ND, dim=-1)
    return torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(inputs.n_classes)])
