"""Linear heads on made-up features, as the solvers of convex heads take them."""

from __future__ import annotations

from typing import Any

import torch

from harness.core.cells import Cell, Choice, HeadSpec, Recipe
from harness.core.conform import conform
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem
from harness.paradigms import vision_only
from harness.training.cached import CachedFeatures
from harness.training.probe import ProbeModel


def features(
    n: int = 120, width: int = 20, n_classes: int = 6, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """(z_ND, y_N): classes of unequal size that overlap, off the origin."""
    generator = torch.Generator().manual_seed(seed)
    y_N = torch.arange(n) % n_classes
    y_N[: n // 4] = 0
    centre_CD = torch.randn(n_classes, width, generator=generator)
    return centre_CD[y_N] + 2 * torch.randn(n, width, generator=generator) + 3.0, y_N


def linear_problem(
    z_ND: torch.Tensor, y_N: torch.Tensor, *, bias: bool = True, start: float = 0.0, **recipe: Any
) -> Problem:
    """A problem whose W starts at random rows times `start`."""
    n_classes, spec = int(y_N.max()) + 1, HeadSpec(bias=bias)
    generator = torch.Generator().manual_seed(9)
    w_CD = start * torch.randn(n_classes, z_ND.shape[1], generator=generator)
    inputs = HeadInputs(n_classes, z_ND.shape[1], generator, 1.0, w_CD, spec=spec)
    head = conform(Head, vision_only.build(inputs, NoOptions()), "the head")
    cell = Cell(
        Choice("emoji"), "full", Choice("embedded/lit-emoji"), tuning="head", head=spec,
        paradigm=Choice("vision_only"), recipe=Recipe(**recipe),
    )  # fmt: skip
    return Problem(cell, ProbeModel(CachedFeatures(z_ND), head), y_N, Recipe(**recipe), seed=0)


def solved(problem: Problem) -> tuple[torch.Tensor, torch.Tensor]:
    """(w_CD, b_C) of its head now."""
    state = problem.model.head.state()
    return state["classifier"], state["bias"]
