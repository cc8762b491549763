"""What a head on frozen features costs: 512 features, 100 classes, 16 shots, one thread.

    make bench
    HARNESS_BENCH_CELLS=8 make bench

Baselines: scikit-learn's LogisticRegression for each cell; a loop over a DataLoader, and one over
tensors in memory with fused AdamW, of 200 epochs for each cell. They are measured on a few cells
and divided by their number; the solvers of the harness on all of them, as many together as they
take. Every solver that accepts the cells takes part.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from harness.core import registry
from harness.core.cells import Cell, Choice, HeadSpec, Recipe
from harness.core.protocols.paradigm import HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem, Solver
from harness.paradigms import vision_only
from harness.training.cached import CachedFeatures
from harness.training.probe import ProbeModel

CELLS = int(os.environ.get("HARNESS_BENCH_CELLS", "64"))
WIDTH, CLASSES, SHOTS, TESTED = 512, 100, 16, 20
EPOCHS, BATCH, LR, DECAY = 200, 256, 1e-3, 1e-2
#: Strength of the penalty of convex heads, as scikit-learn has it: l2 = 1 / (C N).
C = 10.0
#: Cells on which a baseline is measured.
FEW = 2
RECIPE = Recipe(lr=LR, weight_decay=DECAY, warmup_epochs=0, epochs=EPOCHS, batch=BATCH)


@dataclass(frozen=True)
class Data:
    """The samples of one cell."""

    x_ND: torch.Tensor
    y_N: torch.Tensor
    test_MD: torch.Tensor
    test_M: torch.Tensor

    def top1(self, w_CD: torch.Tensor, b_C: torch.Tensor) -> float:
        right = (self.test_MD @ w_CD.T + b_C).argmax(dim=1) == self.test_M
        return 100 * right.float().mean().item()


@pytest.fixture(scope="module")
def cells() -> list[Data]:
    """The data of all cells. One step is made before anything is timed: the first of a process
    imports what it needs, which would be half of the time of the first cell.
    """
    weight = torch.zeros(1, requires_grad=True)
    weight.sum().backward()
    torch.optim.AdamW([weight], fused=True).step()
    return [draw(seed) for seed in range(CELLS)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def draw(seed: int) -> Data:
    """Classes around means that every cell shares, with noise of the cell's own."""
    means = np.random.default_rng(0).standard_normal((CLASSES, WIDTH)).astype(np.float32)
    stream = np.random.default_rng([1, seed])

    def samples(each: int) -> tuple[torch.Tensor, torch.Tensor]:
        y_N = np.repeat(np.arange(CLASSES), each)
        x_ND = means[y_N] + 4 * stream.standard_normal((len(y_N), WIDTH), dtype=np.float32)
        return F.normalize(torch.from_numpy(x_ND), dim=1), torch.from_numpy(y_N)

    return Data(*samples(SHOTS), *samples(TESTED))


def problems(cells: Sequence[Data], recipe: Recipe) -> list[Problem]:
    cell = Cell(
        Choice("emoji"), "few_shot", Choice("embedded/lit-emoji"), tuning="head", head=HeadSpec(),
        paradigm=Choice("vision_only"), classifier=Choice("random"), recipe=recipe, seed=0,
    )  # fmt: skip
    made = []
    for data in cells:
        inputs = HeadInputs(
            CLASSES, WIDTH, torch.Generator().manual_seed(0), 100.0, spec=HeadSpec(),
            w_CD=torch.zeros(CLASSES, WIDTH),
        )  # fmt: skip
        model = ProbeModel(CachedFeatures(data.x_ND), vision_only.build(inputs, NoOptions()))
        made.append(Problem(cell, model, data.y_N, recipe, 0))
    return made


def solve(solver: Solver, made: Sequence[Problem]) -> None:
    for start in range(0, len(made), solver.TOGETHER):
        solver.solve(made[start : start + solver.TOGETHER])


@pytest.mark.parametrize("name", registry.names("solver"))
def bench_solver(benchmark: BenchmarkFixture, cells: list[Data], name: str) -> None:
    """A solver of the harness, on all cells."""
    solver = registry.load(Solver, name)
    recipe = replace(RECIPE, l2=1 / (C * CLASSES * SHOTS)) if solver.CONVEX else RECIPE
    some = cells if solver.CONVEX or solver.TOGETHER > 1 else cells[:FEW]
    made = problems(some, recipe)
    if not solver.accepts([made[0].cell]):
        pytest.skip(f"solver {name} does not take these cells")
    benchmark.pedantic(solve, (solver, made), rounds=1)
    states = [problem.model.head.state() for problem in made]
    top1 = [d.top1(s["classifier"], s["bias"]) for d, s in zip(some, states, strict=True)]
    _tell(benchmark, some, top1[:FEW])  # of the cells that the baselines have


def bench_sklearn(benchmark: BenchmarkFixture, cells: list[Data]) -> None:
    """The optimum of the loss with an L2 penalty, by L-BFGS: 4e-4 above the minimum."""
    _sklearn(benchmark, cells, tolerance=1e-4)


def bench_sklearn_to_1e_6(benchmark: BenchmarkFixture, cells: list[Data]) -> None:
    """The same to 1e-6 above it, nearer than lbfgs (3e-5) ends."""
    _sklearn(benchmark, cells, tolerance=1e-5)


def _sklearn(benchmark: BenchmarkFixture, cells: list[Data], tolerance: float) -> None:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    @threadpool_limits.wrap(limits=1)  # torch's setting is not that of scipy's OpenBLAS
    def fit(data: Data) -> float:
        model = LogisticRegression(C=C, max_iter=1000, tol=tolerance)
        model.fit(data.x_ND.numpy(), data.y_N.numpy())
        return 100 * float(model.score(data.test_MD.numpy(), data.test_M.numpy()))

    _baseline(benchmark, cells, fit)


def bench_dataloader(benchmark: BenchmarkFixture, cells: list[Data]) -> None:
    """The loop that most people write."""

    def fit(data: Data) -> float:
        model = torch.nn.Linear(WIDTH, CLASSES)
        optimiser = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY)
        loader = DataLoader(TensorDataset(data.x_ND, data.y_N), batch_size=BATCH, shuffle=True)
        for _ in range(EPOCHS):
            for x_BD, y_B in loader:
                optimiser.zero_grad()
                F.cross_entropy(model(x_BD), y_B).backward()
                optimiser.step()
        return data.top1(model.weight.detach(), model.bias.detach())

    _baseline(benchmark, cells, fit)


def bench_in_memory(benchmark: BenchmarkFixture, cells: list[Data]) -> None:
    """The same over tensors in memory, with fused AdamW."""

    def fit(data: Data) -> float:
        model = torch.nn.Linear(WIDTH, CLASSES)
        optimiser = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=DECAY, fused=True)
        for _ in range(EPOCHS):
            for batch_B in torch.randperm(len(data.y_N)).split(BATCH):
                optimiser.zero_grad()
                F.cross_entropy(model(data.x_ND[batch_B]), data.y_N[batch_B]).backward()
                optimiser.step()
        return data.top1(model.weight.detach(), model.bias.detach())

    _baseline(benchmark, cells, fit)


def _baseline(benchmark: BenchmarkFixture, cells: list[Data], fit: Callable[[Data], float]) -> None:
    few = cells[:FEW]
    _tell(benchmark, few, benchmark.pedantic(lambda: [fit(data) for data in few], rounds=1))


def _tell(benchmark: BenchmarkFixture, cells: Sequence[Data], top1: Sequence[float]) -> None:
    benchmark.extra_info |= {"cells": len(cells), "top1": round(float(np.mean(top1)), 2)}
