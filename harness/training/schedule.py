"""Which samples a step reads, how many steps there are, and the learning rate of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.cells import Recipe
from harness.core.protocols.solver import Problem
from harness.core.seeding import torch_stream
from harness.training.distributed import World

if TYPE_CHECKING:
    import torch

    #: (micro-batch, whether this process computes it)
    Parts = list[tuple[torch.Tensor, bool]]


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


def samples_read(recipe: Recipe, samples_of_epoch: int) -> int:
    """Samples that all steps of a training read together: the last batch of an epoch may be short,
    and the last epoch may be cut.
    """
    length = budget(recipe, math.ceil(samples_of_epoch / recipe.batch))
    steps = map(length.steps_in, range(length.epochs))
    return sum(min(samples_of_epoch, n * recipe.batch) for n in steps)


def steps_of_epoch(problem: Problem) -> int:
    """Updates in one pass over the samples."""
    samples = len(problem.model.source) * problem.repeats
    return math.ceil(samples / problem.recipe.batch)


@dataclass(frozen=True)
class Place:
    """The next step of a training."""

    epoch: int = 0
    step: int = 0  # in the epoch


class Schedule:
    """The batches of every epoch, and the micro-batches that this process computes."""

    def __init__(self, problem: Problem, group: World) -> None:
        self._n = len(problem.model.source) * problem.repeats
        self._seed, self._recipe, self._group = problem.seed, problem.recipe, group
        self.budget = budget(problem.recipe, steps_of_epoch(problem))

    def batches(self, epoch: int) -> tuple[torch.Tensor, ...]:
        """The batches of the epoch's steps, in order."""
        import torch

        order_N = torch.randperm(self._n, generator=torch_stream(self._seed, "order", epoch))
        batches: tuple[torch.Tensor, ...] = order_N.split(self._recipe.batch)
        return batches[: self.budget.steps_in(epoch)]

    def parts(self, batch_B: torch.Tensor) -> Parts:
        """The micro-batches of a batch."""
        size = self._recipe.micro_batch or math.ceil(len(batch_B) / self._group.size)
        return [(part_B, self._group.mine(i)) for i, part_B in enumerate(batch_B.split(size))]

    def ahead(self, start: Place) -> Iterator[tuple[int, torch.Tensor]]:
        """(epoch, micro-batch) of all that this process computes from a step on."""
        for epoch in range(start.epoch, self.budget.epochs):
            first = start.step if epoch == start.epoch else 0
            for batch_B in self.batches(epoch)[first:]:
                yield from ((epoch, part_B) for part_B, mine in self.parts(batch_B) if mine)

    def rate(self, epoch: int, step: int) -> float:
        """The factor of the learning rates at a step."""
        every = self._recipe.lr_every or 1
        done = epoch + (step - step % every) / self.budget.steps_of_epoch
        return rate_factor(self._recipe, done, self.budget.fractional)


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
