"""The optimiser of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.cells import Recipe
from harness.core.protocols.solver import TrainableModel

if TYPE_CHECKING:
    import torch


def make_optimiser(model: TrainableModel, recipe: Recipe, *, head: bool) -> torch.optim.Optimizer:
    """Two learning-rate groups (section 4.1). A frozen tensor has no gradient and no step.

    Fused, one pass over a tensor a step, on a GPU and for a head alone. On the CPU it rounds
    otherwise than the default, so other trainings, whose Records exist, keep that.
    """
    import torch

    groups = [
        {"params": model.pretrained(), "lr": recipe.lr},
        {"params": model.new(), "lr": recipe.lr_new},
    ]
    groups = [g for g in groups if g["params"]]
    decay, fused = recipe.weight_decay, head or model.device.type == "cuda"
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, weight_decay=decay, fused=fused)
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, weight_decay=decay, fused=fused)
    return torch.optim.AdamW(groups, weight_decay=decay, fused=fused)
