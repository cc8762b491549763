"""Steps whose gradients are exchanged, for test_exchange: `exchange_examples.py FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import torch

from harness.training.agreement import OutOfMemory, agree, agreement
from harness.training.distributed import World, process_group
from harness.training.exchange import GradientExchange

STEPS, PARTS, WIDTH = 4, 3, 5
Gradients = list[list[float] | None]


class Tensors:
    """Tensors of a model that backward reaches in different ways."""

    def __init__(self) -> None:
        def drawn(*shape: int, seed: int) -> torch.Tensor:
            return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))

        self.first = drawn(WIDTH, WIDTH, seed=1).requires_grad_()
        self.second = drawn(WIDTH, WIDTH, seed=2).requires_grad_()
        self.of_part_0 = drawn(WIDTH, seed=3).requires_grad_()  # only one process uses it
        self.unused = drawn(WIDTH, seed=4).requires_grad_()
        self.late = drawn(WIDTH, seed=5).requires_grad_()  # by a backward pass of its own
        self.released = drawn(WIDTH, seed=6)  # requires a gradient from step 2 on
        self.statistic = drawn(WIDTH, seed=7)
        self.double = drawn(WIDTH, seed=8).double().requires_grad_()
        self.image = (
            drawn(2, 3, 2, 2, seed=9).to(memory_format=torch.channels_last).requires_grad_()
        )
        self.by_hand = drawn(WIDTH, seed=10).requires_grad_()  # no backward pass

    def all(self) -> list[torch.Tensor]:
        return list(vars(self).values())

    def loss(self, step: int, part: int, *, turned: bool) -> torch.Tensor:
        """Of one micro-batch. Turned: in another order, so that autograd goes another way."""
        x = torch.randn(
            8, WIDTH, dtype=torch.float64,
            generator=torch.Generator().manual_seed(100 * step + part),
        )  # fmt: skip
        ways: list[Callable[[], torch.Tensor]] = [
            lambda: (x.float() @ self.first).square().mean(),
            lambda: (x.float() @ self.second).sin().mean(),
            lambda: (x * self.double).cos().mean().float(),
            lambda: (self.image * (1 + step + part)).sin().mean(),
        ]
        if part == 0:
            ways.append(lambda: (x.float() * self.of_part_0).cos().mean())
        if self.released.requires_grad:
            ways.append(lambda: (x.float() * self.released).sin().mean())
        return torch.stack([way() for way in (reversed(ways) if turned else ways)]).sum()


def one_step(tensors: Tensors, step: int, group: World, around: Any) -> Gradients:
    """The gradients of all tensors after a step."""
    for t in tensors.all():
        t.grad = None
    if step == 2:
        tensors.released.requires_grad_()
    parts = [part for part in range(PARTS) if group.mine(part)]
    with around(len(parts)):
        for part in parts:
            tensors.loss(step, part, turned=group.rank % 2 == 1).backward()
        (tensors.late * (step + 1) / group.size).sum().backward()
        tensors.by_hand.grad = torch.full((WIDTH,), (step + 1.0) / group.size)
    return [None if t.grad is None else t.grad.flatten().tolist() for t in tensors.all()]


@contextmanager
def nothing(backwards: int) -> Iterator[None]:
    """What one process needs to exchange."""
    yield


def gradients(group: World, around: Callable[[Tensors], Any] | None = None) -> list[Gradients]:
    tensors = Tensors()
    step = nothing if around is None else around(tensors)
    return [one_step(tensors, number, group, step) for number in range(STEPS)]


def short_of_memory(group: World) -> list[str]:
    """Process 1 has too little memory once in a step, once in an agreement, once between two."""
    tensors, told = Tensors(), []
    exchange = GradientExchange(tensors.all(), group, size=64)

    def attempt(where: str) -> str:
        try:
            with agreement(group):
                for number in range(2):
                    agree(group)
                    with exchange.step(1):
                        if where == "step" and number == 1 and group.rank == 1:
                            raise torch.OutOfMemoryError("in the step")
                        tensors.loss(number, 1, turned=False).backward()
                    if where == "optimiser" and number == 0 and group.rank == 1:
                        raise torch.OutOfMemoryError("in the optimiser")
                with agreement(group):
                    if where == "agreement" and group.rank == 1:
                        raise torch.OutOfMemoryError("in the agreement")
        except OutOfMemory as error:
            return str(error)
        return "enough"

    for where in ("step", "optimiser", "agreement", "nowhere"):
        told.append(attempt(where))
    return told


def main(file: Path) -> None:
    with process_group() as group:
        found = {
            "gradients": gradients(
                group, lambda tensors: GradientExchange(tensors.all(), group, size=128).step
            ),
            "short": short_of_memory(group),
            "turn": astuple(agree(group, interrupted=group.rank == 1)),
            "any": [group.any(group.rank == 1), group.any(False)],
            "of first": group.of_first({"rank": group.rank}),
        }
    file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
