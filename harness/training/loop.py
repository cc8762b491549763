"""The training loop, the same for cached features and for a tuned backbone.

Every draw comes from a stream named by seed and epoch, so a cell's numbers do not depend on other
cells, on interruptions, or on the number of processes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.core.cells import Recipe
from harness.core.errors import CellError
from harness.core.protocols.solver import Problem, Solution, TrainableModel
from harness.core.seeding import torch_stream
from harness.training.distributed import World, world
from harness.training.proximal import Anchor, proximal_terms

if TYPE_CHECKING:
    import torch

    #: (micro-batch, whether this process computes it)
    Parts = Sequence[tuple[torch.Tensor, bool]]


def train(problem: Problem) -> Solution:
    """Minimise the head's loss on the support set (Eq. 1 to 3); the model is trained in place.

    With a checkpoint it continues after the last finished epoch, with the same result.

    Raises CellError if the loss is not finite; KeyboardInterrupt after an interruption, between
    batches.
    """
    model, recipe, watch = problem.model, problem.recipe, problem.watch
    # One pass over a tensor a step. It rounds otherwise than the default, so other trainings, whose
    # Records exist, keep that.
    optimiser = _optimiser(model, recipe, fused=problem.cell.tuning == "head")
    rates = [group["lr"] for group in optimiser.param_groups]
    solution = Solution()
    saved = problem.checkpoint.load(model, optimiser) if problem.checkpoint else None
    if saved is not None:
        solution = Solution(saved["curve"], saved["steps"])
    # An epoch may read every sample several times (recipe.epoch_length).
    problem = replace(problem, labels_N=problem.labels_N.repeat(problem.repeats))
    anchors = proximal_terms(model, recipe)
    for epoch in range(budget(recipe, steps_of_epoch(problem)).epochs):
        # Called for skipped epochs too: the head may change at one of them (schedule: released).
        model.head.begin_epoch(epoch)
        if epoch < len(solution.curve):
            continue
        point = _epoch(problem, optimiser, rates, epoch, anchors)
        solution.steps += point.pop("steps")
        solution.curve.append(point)
        watch.epoch(point | {"lr": optimiser.param_groups[0]["lr"]})
        if problem.checkpoint is not None:
            progress = {"curve": solution.curve, "steps": solution.steps}
            problem.checkpoint.save(model, optimiser, progress)
    return solution


def _epoch(
    problem: Problem,
    optimiser: torch.optim.Optimizer,
    rates: Sequence[float],
    epoch: int,
    anchors: Sequence[Anchor],
) -> dict[str, Any]:
    """One pass over the support set: a point of the curve, with the number of steps."""
    import torch

    model, recipe, y_N = problem.model, problem.recipe, problem.labels_N
    n, began = len(model.source) * problem.repeats, time.perf_counter()
    # Summed where they are computed and read once: to read a number at every step would wait for
    # the device.
    sums_2 = torch.zeros(2, dtype=torch.float64, device=model.device)
    _begin_epoch(model, problem.seed, epoch)
    drop = torch_stream(problem.seed, "dropout", epoch)
    batches = _batches(n, recipe.batch, problem.seed, epoch)
    length = budget(recipe, len(batches))
    for i, batch_B in enumerate(batches[: length.steps_in(epoch)]):
        if problem.watch.interrupted():
            raise KeyboardInterrupt
        if i % (recipe.lr_every or 1) == 0:
            factor = rate_factor(recipe, epoch + i / len(batches), length.fractional)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        loss, right = _step(model, optimiser, batch_B, y_N, recipe, drop, anchors)
        sums_2 += torch.stack([loss * len(batch_B), right])
    loss_sum, correct = sums_2.tolist()
    if not math.isfinite(loss_sum):
        raise CellError(f"the loss is not a finite number after epoch {epoch + 1}")
    read = sum(len(batch_B) for batch_B in batches[: length.steps_in(epoch)])
    return {
        "epoch": epoch + 1,
        "loss": loss_sum / read,
        "train_top1": correct / read,
        "seconds": time.perf_counter() - began,
        "steps": length.steps_in(epoch),
    }


def _begin_epoch(model: TrainableModel, seed: int | None, epoch: int) -> None:
    model.source.begin_epoch(epoch)
    if model.texts is not None:
        model.texts.begin_epoch(torch_stream(seed, "texts", epoch))


def _step(
    model: TrainableModel,
    optimiser: torch.optim.Optimizer,
    batch_B: torch.Tensor,
    y_N: torch.Tensor,
    recipe: Recipe,
    drop: torch.Generator,
    anchors: Sequence[Anchor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """One update from a batch. Returns the mean loss and the number of correct predictions, both
    in float64 on the device.
    """
    optimiser.zero_grad()
    group = world()
    size = recipe.micro_batch or math.ceil(len(batch_B) / group.size)
    parts = [(part_B, group.mine(i)) for i, part_B in enumerate(batch_B.split(size))]
    model.read_texts(y_N[batch_B])
    if model.head.whole_batch and model.gather and len(parts) > 1:
        loss, right = _contrasted(model, parts, y_N, recipe, drop, group)
        model.teach_texts()
        group.add_gradients(model.encoder())  # the others have those of the whole batch
    else:
        loss, right = _summed(model, parts, y_N, recipe, drop)
        model.teach_texts()
        group.add_gradients(model.tensors())
        group.add([loss, right])
    for anchor in anchors:
        anchor.add_gradient()
    optimiser.step()
    model.source.end_step()
    return loss, right


def _summed(
    model: TrainableModel, parts: Parts, y_N: torch.Tensor, recipe: Recipe, drop: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Micro-batches for a loss that is a mean over samples: their gradients add up to that of the
    batch. A contrastive loss without the gather is computed within each micro-batch.
    """
    import torch

    total = sum(len(part_B) for part_B, _ in parts)
    loss_sum = torch.zeros((), dtype=torch.float64, device=model.device)
    right = torch.zeros_like(loss_sum)
    for part_B, mine in parts:
        if not mine:
            _skip(model, part_B, recipe, drop)
            continue
        z_BD = _embed(model, part_B, recipe, drop)
        mean, logits_BC = model.head.loss_and_logits(z_BD, y_N[part_B])
        loss = mean * (len(part_B) / total)
        loss.backward()
        loss_sum += loss.detach()
        right += _right(logits_BC, y_N[part_B])
    return loss_sum, right


def _contrasted(
    model: TrainableModel,
    parts: Parts,
    y_N: torch.Tensor,
    recipe: Recipe,
    drop: torch.Generator,
    group: World,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Micro-batches for a loss that contrasts the samples of a batch, with all negatives.

    Two passes (Gao et al. 2021). The first computes the embeddings of all parts without a graph,
    gathers them over the processes, and computes the loss and its gradient at the embeddings. The
    second computes each part again, with a graph, and backpropagates that gradient through it.
    """
    import torch

    began = drop.get_state()
    with torch.no_grad():
        local_parts = [
            _embed(model, part_B, recipe, drop) if mine else _skip(model, part_B, recipe, drop)
            for part_B, mine in parts
        ]
    z_BD = _gathered(local_parts, [len(part_B) for part_B, _ in parts], group)
    z_BD.requires_grad_()
    y_B = y_N[torch.cat([part_B for part_B, _ in parts])]
    loss, logits_BC = model.head.loss_and_logits(z_BD, y_B)
    loss.backward()
    if z_BD.grad is None:
        raise CellError("the loss does not depend on the embeddings")
    drop.set_state(began)  # the second pass drops the same elements
    gradients = z_BD.grad.split([len(part_B) for part_B, _ in parts])
    for (part_B, mine), gradient_BD in zip(parts, gradients, strict=True):
        if mine:
            _embed(model, part_B, recipe, drop).backward(gradient_BD)
        else:
            _skip(model, part_B, recipe, drop)
    return loss.detach().double(), _right(logits_BC, y_B).double()


def _gathered(
    local_parts: Sequence[torch.Tensor | None], lengths: Sequence[int], group: World
) -> torch.Tensor:
    """The whole z_BD from the parts of this process (None: a part of another process)."""
    import torch

    present = [z_BD for z_BD in local_parts if z_BD is not None]
    if group.size == 1:
        return torch.cat(present)
    from harness.training.device import device

    width = group.maximum(present[0].shape[1] if present else 0)
    torch_device = present[0].device if present else device()
    parts = [
        torch.zeros(n, width, device=torch_device) if z_BD is None else z_BD
        for z_BD, n in zip(local_parts, lengths, strict=True)
    ]
    whole_BD = torch.cat(parts)
    group.add([whole_BD])
    return whole_BD


def _embed(
    model: TrainableModel, part_B: torch.Tensor, recipe: Recipe, drop: torch.Generator
) -> torch.Tensor:
    """z_BD as float32, whatever the precision of the encoder."""
    with _precision(recipe.precision, model.device.type):
        h_BF = dropout(model.source.features(part_B), recipe.dropout, drop)
        return model.embedding(h_BF).float()


def _skip(
    model: TrainableModel, part_B: torch.Tensor, recipe: Recipe, drop: torch.Generator
) -> torch.Tensor | None:
    """Draw the dropout of another process's part, so that the streams stay equal."""
    if recipe.dropout:
        frames = [model.source.frames] if model.source.frames else []
        width = model.feature_dim
        _kept((len(part_B), *frames, width), recipe.dropout, drop)
    return None


def _right(logits_BC: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    return (logits_BC.argmax(dim=1) == y_B).sum()


def dropout(h_BF: torch.Tensor, rate: float, stream: torch.Generator) -> torch.Tensor:
    """Inverted dropout from a stream of its own."""
    if rate == 0:
        return h_BF
    return h_BF * _kept(h_BF.shape, rate, stream).to(h_BF.device) / (1 - rate)


def _kept(shape: Sequence[int], rate: float, stream: torch.Generator) -> torch.Tensor:
    import torch

    return torch.rand(tuple(shape), generator=stream) >= rate


def _precision(name: str, device: str) -> AbstractContextManager[object]:
    """bfloat16 autocast, or nothing: to enter one that is off costs a tenth of a small step."""
    import torch

    return torch.autocast(device, dtype=torch.bfloat16) if name == "bfloat16" else nullcontext()


def _batches(n: int, size: int, seed: int | None, epoch: int) -> tuple[torch.Tensor, ...]:
    import torch

    order_N = torch.randperm(n, generator=torch_stream(seed, "order", epoch))
    return tuple(order_N.split(size))


def _optimiser(model: TrainableModel, recipe: Recipe, *, fused: bool) -> torch.optim.Optimizer:
    """Two learning-rate groups (section 4.1). A frozen tensor has no gradient and no step."""
    import torch

    groups = [
        {"params": model.pretrained(), "lr": recipe.lr},
        {"params": model.new(), "lr": recipe.lr_new},
    ]
    groups = [g for g in groups if g["params"]]
    decay = recipe.weight_decay
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, weight_decay=decay, fused=fused)
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, weight_decay=decay, fused=fused)
    return torch.optim.AdamW(groups, weight_decay=decay, fused=fused)


def steps_of_epoch(problem: Problem) -> int:
    """Updates in one pass over the samples."""
    samples = len(problem.model.source) * problem.repeats
    return math.ceil(samples / problem.recipe.batch)


@dataclass(frozen=True)
class Budget:
    """How long a training is, in epochs of so many steps."""

    steps_of_epoch: int
    fractional: float  # epochs; not whole if the budget is in iterations

    @property
    def epochs(self) -> int:
        """The last one may be cut."""
        return math.ceil(self.fractional)

    def steps_in(self, epoch: int) -> int:
        """Steps of an epoch, counted from 0."""
        left = round(self.fractional * self.steps_of_epoch) - epoch * self.steps_of_epoch
        return min(self.steps_of_epoch, left)


def budget(recipe: Recipe, steps_of_epoch: int) -> Budget:
    """Of `iterations` if the recipe names them, else of `epochs`."""
    if recipe.iterations is None:
        return Budget(steps_of_epoch, float(recipe.epochs))
    return Budget(steps_of_epoch, recipe.iterations / steps_of_epoch)


def rate_factor(recipe: Recipe, epoch: float, epochs: float | None = None) -> float:
    """Linear warm-up from 0, then cosine to 0 (or constant), in fractional epochs of `epochs` in
    all (None: those of the recipe).
    """
    if epoch < recipe.warmup_epochs:
        return epoch / recipe.warmup_epochs
    if recipe.decay == "constant":
        return 1.0
    rest = max((recipe.epochs if epochs is None else epochs) - recipe.warmup_epochs, 1e-9)
    return 0.5 * (1 + math.cos(math.pi * (epoch - recipe.warmup_epochs) / rest))
