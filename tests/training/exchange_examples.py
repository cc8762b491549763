"""Steps whose gradients are exchanged, for test_exchange: `exchange_examples.py FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import torch

from harness.core.errors import CellError, DataError, EncoderError, TaskError
from harness.training.agreement import agree, agreement, errors_of_any
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


def error_of(kind: str) -> BaseException:
    return {
        "memory": torch.OutOfMemoryError("too large"),
        "data": DataError("cannot be read"),
        "task": TaskError("t.yaml", "lr", "is negative"),
        "cell": CellError("a worker was killed"),
        "other": RuntimeError("odd"),
        "interrupted": KeyboardInterrupt(),
    }[kind]


#: (where it is raised, what in process 0, what in process 1); two steps lie in an agreement, and an
#: agreement of its own behind them.
CASES = (
    ("step", "", "memory"),
    ("optimiser", "", "memory"),
    ("agreement", "", "memory"),
    ("step", "", "data"),
    ("optimiser", "", "cell"),
    ("agreement", "", "other"),
    ("end", "", "task"),
    ("end", "", "interrupted"),
    ("step", "memory", "data"),
    ("step", "cell", "data"),
    ("nowhere", "", ""),
)


def errors(group: World) -> list[str]:
    """What this process raises in every case; a case after an error is as if there had been none.

    What one process alone raises between agreements is told in the next one of the others.
    """
    tensors = Tensors()
    exchange = GradientExchange(tensors.all(), group, size=64)

    def attempt(where: str, *kinds: str) -> None:
        kind = kinds[group.rank] if group.rank < len(kinds) else ""

        def fail(here: str) -> None:
            if where == here and kind:
                raise error_of(kind)

        with agreement(group):
            for number in range(2):
                agree(group)
                with exchange.step(1):
                    if number == 1:
                        fail("step")
                    tensors.loss(number, 1, turned=False).backward()
                if number == 0:
                    fail("optimiser")
            with agreement(group):
                fail("agreement")
            fail("end")

    return [raised(partial(attempt, *case)) for case in CASES]


def raised(work: Callable[[], object]) -> str:
    try:
        work()
    except (Exception, KeyboardInterrupt) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def same_in_all(group: World) -> str:
    """All processes meet the same: it is said as it would be by one."""

    def work() -> None:
        with agreement(group):
            raise DataError("cannot be read")

    return raised(work)


def of_any(group: World) -> dict[str, str]:
    """What each process has met of its own, and what both have."""
    mine: dict[str, Exception] = {f"by {group.rank}": DataError("mine")}
    if group.rank < 2:
        mine["by two"] = EncoderError(f"that of {group.rank}")
    found = errors_of_any(
        group, mine, ["nowhere", *(f"by {r}" for r in range(group.size)), "by two"]
    )
    return {key: f"{type(error).__name__}: {error}" for key, error in found.items()}


def main(file: Path) -> None:
    with process_group() as group:
        found = {
            "gradients": gradients(
                group, lambda tensors: GradientExchange(tensors.all(), group, size=128).step
            ),
            "errors": errors(group),
            "same": same_in_all(group),
            "of any": of_any(group),
            "turn": astuple(agree(group, interrupted=group.rank == 1)),
            "any": [group.any(group.rank == 1), group.any(False)],
            "of first": group.of_first({"rank": group.rank}),
        }
    file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
