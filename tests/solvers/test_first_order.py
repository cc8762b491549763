"""The solver for every kind of training: one cell at a time, by the loop of training/."""

from __future__ import annotations

import pytest
import torch
from training.examples import CELL, FEATURES, RECIPE, D, data, text_head

from harness.core import registry
from harness.core.protocols.solver import Problem, Solver, Watch
from harness.solvers import first_order
from harness.training.cached import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection


def problem(seed: int = 0, watch: Watch | None = None) -> Problem:
    generator = torch.Generator().manual_seed(3)
    projection = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    h_NF, y_N = data(torch.Generator().manual_seed(0))
    model = Model(CachedFeatures(h_NF), Embedding(projection.trainable()), text_head("trained"))
    return Problem(CELL, model, y_N, RECIPE, seed, watch or Watch())


def losses(curve: list[dict[str, float]]) -> list[float]:
    return [point["loss"] for point in curve]


def test_it_takes_one_cell_of_any_kind() -> None:
    solver = registry.load(Solver, "first_order")
    assert solver.TOGETHER == 1
    assert solver.accepts([CELL])
    assert not solver.accepts([CELL, CELL])


def test_it_is_the_training_loop() -> None:
    mine, reference = problem(), problem()
    (solution,) = first_order.solve([mine])
    expected = train(reference)
    assert losses(solution.curve) == losses(expected.curve)
    assert solution.steps == expected.steps == 4
    for a, b in zip(mine.model.tensors(), reference.model.tensors(), strict=True):
        assert torch.equal(a, b)


def test_solutions_come_in_the_order_of_the_problems() -> None:
    first, second = first_order.solve([problem(0), problem(1)])
    assert losses(first.curve) == losses(first_order.solve([problem(0)])[0].curve)
    assert losses(second.curve) == losses(first_order.solve([problem(1)])[0].curve)
    assert losses(first.curve) != losses(second.curve)


def test_it_stops_when_it_is_asked_to() -> None:
    with pytest.raises(KeyboardInterrupt):
        first_order.solve([problem(watch=Watch(lambda: True))])
