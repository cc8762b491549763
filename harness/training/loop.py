"""The training loop, the same for cached features and for a backbone that is tuned.

Every draw comes from a stream addressed by seed and epoch, so a cell's numbers depend neither on
which cells run beside it nor on where it was interrupted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import CellError
from harness.seeding import torch_stream
from harness.training.checkpoint import Checkpoint
from harness.training.model import Model
from harness.types import Recipe

if TYPE_CHECKING:
    import torch


@dataclass
class History:
    """What a training left to report."""

    curve: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0


def train(
    model: Model,
    y_N: torch.Tensor,
    recipe: Recipe,
    seed: int | None,
    *,
    interrupted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Minimise the head's loss on the support set (Eq. 1 to 3); the model is trained in place.

    With a checkpoint it goes on from the last whole epoch, to the same result.

    Raises CellError if the loss is not finite; KeyboardInterrupt between batches if asked to stop.
    """
    optimiser = _optimiser(model, recipe)
    rates = [group["lr"] for group in optimiser.param_groups]
    history = History()
    saved = checkpoint.load(model, optimiser) if checkpoint else None
    if saved is not None:
        history = History(saved["curve"], saved["steps"])
    for epoch in range(recipe.epochs):
        model.head.begin_epoch(epoch)
        if epoch < len(history.curve):
            continue
        began, loss_sum, correct = time.perf_counter(), 0.0, 0
        drop = torch_stream(seed, "dropout", epoch)
        batches = _batches(len(model.source), recipe.batch, seed, epoch)
        for i, batch_B in enumerate(batches):
            if interrupted():
                raise KeyboardInterrupt
            factor = _factor(recipe, epoch + i / len(batches))
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            loss, right = _step(model, optimiser, batch_B, y_N, recipe, drop)
            history.steps += 1
            loss_sum += loss * len(batch_B)
            correct += right
        if not math.isfinite(loss_sum):
            raise CellError(f"the loss is not a finite number after epoch {epoch + 1}")
        history.curve.append(
            {
                "epoch": epoch + 1,
                "loss": loss_sum / len(model.source),
                "train_top1": correct / len(model.source),
                "seconds": time.perf_counter() - began,
            }
        )
        if checkpoint is not None:
            progress = {"curve": history.curve, "steps": history.steps}
            checkpoint.save(model, optimiser, progress)
    return history


def _step(
    model: Model,
    optimiser: torch.optim.Optimizer,
    batch_B: torch.Tensor,
    y_N: torch.Tensor,
    recipe: Recipe,
    drop: torch.Generator,
) -> tuple[float, int]:
    """One update from a batch. Returns the mean loss and the number of right predictions."""
    optimiser.zero_grad()
    parts = batch_B.split(recipe.micro_batch or len(batch_B))
    pieces = _contrasted if model.head.whole_batch and len(parts) > 1 else _summed
    loss, right = pieces(model, parts, y_N, recipe, drop)
    optimiser.step()
    return loss, right


def _summed(
    model: Model,
    parts: Sequence[torch.Tensor],
    y_N: torch.Tensor,
    recipe: Recipe,
    drop: torch.Generator,
) -> tuple[float, int]:
    """Micro-batches whose gradients add up to the batch's, for a loss that is a mean over it."""
    total, loss_sum, right = sum(map(len, parts)), 0.0, 0
    for part_B in parts:
        z_BD = _embed(model, part_B, recipe, drop)
        loss = model.head.loss(z_BD, y_N[part_B]) * (len(part_B) / total)
        loss.backward()
        loss_sum += loss.item()
        right += _right(model, z_BD, y_N[part_B])
    return loss_sum, right


def _contrasted(
    model: Model,
    parts: Sequence[torch.Tensor],
    y_N: torch.Tensor,
    recipe: Recipe,
    drop: torch.Generator,
) -> tuple[float, int]:
    """Micro-batches that keep all negatives, for a loss between the samples of a batch.

    Two passes: the embeddings of all parts without a graph, the loss and its gradient at them;
    then each part again with a graph that this gradient is sent through (Gao et al. 2021).
    """
    import torch

    began = drop.get_state()
    with torch.no_grad():
        z_BD = torch.cat([_embed(model, part_B, recipe, drop) for part_B in parts])
    z_BD.requires_grad_()
    y_B = y_N[torch.cat(list(parts))]
    loss = model.head.loss(z_BD, y_B)
    loss.backward()
    if z_BD.grad is None:
        raise CellError("the loss does not depend on the embeddings")
    drop.set_state(began)  # the same elements are dropped again
    for part_B, gradient_BD in zip(parts, z_BD.grad.split([len(p) for p in parts]), strict=True):
        _embed(model, part_B, recipe, drop).backward(gradient_BD)
    return loss.item(), _right(model, z_BD, y_B)


def _embed(
    model: Model, part_B: torch.Tensor, recipe: Recipe, drop: torch.Generator
) -> torch.Tensor:
    """z_BD as float32, whatever the precision behind it."""
    with _precision(recipe.precision):
        h_BF = dropout(model.source.features(part_B), recipe.dropout, drop)
        return model.projection(h_BF).float()


def _right(model: Model, z_BD: torch.Tensor, y_B: torch.Tensor) -> int:
    import torch

    with torch.no_grad():
        return int((model.head.logits(z_BD).argmax(dim=1) == y_B).sum())


def dropout(h_BF: torch.Tensor, rate: float, stream: torch.Generator) -> torch.Tensor:
    """Inverted dropout from a stream of its own."""
    import torch

    if rate == 0:
        return h_BF
    keep_BF = torch.rand(h_BF.shape, generator=stream) >= rate
    return h_BF * keep_BF / (1 - rate)


def _precision(name: str) -> torch.autocast:
    """bfloat16 autocast, or nothing."""
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=name == "bfloat16")


def _batches(n: int, size: int, seed: int | None, epoch: int) -> tuple[torch.Tensor, ...]:
    import torch

    order_N = torch.randperm(n, generator=torch_stream(seed, "order", epoch))
    return tuple(order_N.split(size))


def _optimiser(model: Model, recipe: Recipe) -> torch.optim.Optimizer:
    """Two learning-rate groups (section 4.1); a frozen tensor gets no gradient and no step."""
    import torch

    groups = [
        {"params": model.pretrained(), "lr": recipe.lr},
        {"params": model.head.new(), "lr": recipe.lr_new},
    ]
    groups = [g for g in groups if g["params"]]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, weight_decay=recipe.weight_decay)
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)


def _factor(recipe: Recipe, epoch: float) -> float:
    """Linear warm-up from 0, then cosine to 0 (or constant), in fractional epochs."""
    if epoch < recipe.warmup_epochs:
        return epoch / recipe.warmup_epochs
    if recipe.decay == "constant":
        return 1.0
    rest = max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    return 0.5 * (1 + math.cos(math.pi * (epoch - recipe.warmup_epochs) / rest))
