"""Tuning `projection`: the backbone is frozen, one linear layer and the head are trained.

Works on features h_NF that are computed once. Every draw comes from a stream of its own, so a
cell's numbers do not depend on which cells run beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import CellError
from harness.seeding import torch_stream
from harness.types import Head, Recipe

if TYPE_CHECKING:
    import torch


@dataclass
class Projection:
    """z = h @ weight^T + bias."""

    weight_DF: torch.Tensor
    bias_D: torch.Tensor | None

    def __call__(self, h_BF: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional as F

        return F.linear(h_BF, self.weight_DF, self.bias_D)

    def trainable(self) -> Projection:
        """A copy whose tensors ask for gradients."""
        bias_D = None if self.bias_D is None else self.bias_D.clone().requires_grad_()
        return Projection(self.weight_DF.clone().requires_grad_(), bias_D)

    def parameters(self) -> list[torch.Tensor]:
        return [t for t in (self.weight_DF, self.bias_D) if t is not None]


@dataclass
class Trained:
    projection: Projection
    curve: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0


def train(
    h_NF: torch.Tensor,
    y_N: torch.Tensor,
    projection: Projection,
    head: Head,
    recipe: Recipe,
    seed: int | None,
    *,
    interrupted: Callable[[], bool] = lambda: False,
) -> Trained:
    """Cross-entropy on the support set (Eq. 1 and 3).

    Raises CellError if the loss is not finite; KeyboardInterrupt between epochs if asked to stop.
    """
    import torch
    from torch.nn import functional as F

    projection = projection.trainable()
    optimiser = _optimiser(projection, head, recipe)
    schedule = _schedule(optimiser, recipe, math.ceil(len(h_NF) / recipe.batch))
    order, drop = torch_stream(seed, "order"), torch_stream(seed, "dropout")
    trained = Trained(projection)
    for epoch in range(recipe.epochs):
        if interrupted():
            raise KeyboardInterrupt
        began, loss_sum, correct = time.perf_counter(), 0.0, 0
        head.begin_epoch(epoch)
        for batch in torch.randperm(len(h_NF), generator=order).split(recipe.batch):
            h_BF = dropout(h_NF[batch], recipe.dropout, drop)
            logits_BC = head.logits(projection(h_BF))
            loss = F.cross_entropy(logits_BC, y_N[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            trained.steps += 1
            loss_sum += loss.item() * len(batch)
            correct += int((logits_BC.argmax(dim=1) == y_N[batch]).sum())
        if not math.isfinite(loss_sum):
            raise CellError(f"the loss is not a finite number after epoch {epoch + 1}")
        trained.curve.append({
            "epoch": epoch + 1,
            "loss": loss_sum / len(h_NF),
            "train_top1": correct / len(h_NF),
            "seconds": time.perf_counter() - began,
        })  # fmt: skip
    return trained


def dropout(h_BF: torch.Tensor, rate: float, stream: torch.Generator) -> torch.Tensor:
    """Inverted dropout from a stream of its own."""
    import torch

    if rate == 0:
        return h_BF
    keep_BF = torch.rand(h_BF.shape, generator=stream) >= rate
    return h_BF * keep_BF / (1 - rate)


def _optimiser(projection: Projection, head: Head, recipe: Recipe) -> torch.optim.Optimizer:
    """Two learning-rate groups (section 4.1); a frozen tensor gets no gradient and no step."""
    import torch

    groups = [
        {"params": [*projection.parameters(), *head.pretrained()], "lr": recipe.lr},
        {"params": head.new(), "lr": recipe.lr_new},
    ]
    groups = [g for g in groups if g["params"]]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, weight_decay=recipe.weight_decay)
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)


def _schedule(
    optimiser: torch.optim.Optimizer, recipe: Recipe, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Linear warm-up from 0, then cosine to 0 (or constant), in fractional epochs."""
    import torch

    def factor(step: int) -> float:
        epoch = step / steps_per_epoch
        if epoch < recipe.warmup_epochs:
            return epoch / recipe.warmup_epochs
        if recipe.decay == "constant":
            return 1.0
        rest = max(recipe.epochs - recipe.warmup_epochs, 1e-9)
        return 0.5 * (1 + math.cos(math.pi * (epoch - recipe.warmup_epochs) / rest))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
