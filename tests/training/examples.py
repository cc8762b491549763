"""Small trainings that tests share; as a program, one of every kind of head: `examples.py FILE`.

Several processes run it as one training, as torchrun or srun start them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from harness.core.cells import Cell, Choice, Recipe
from harness.core.conform import conform
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem, Solution
from harness.core.text_context import TextContext
from harness.paradigms import matching, vision_text
from harness.training.batch_norm import BatchNorms
from harness.training.cached import CachedFeatures
from harness.training.distributed import process_group, world
from harness.training.drawn_captions import DrawnCaptions
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.texts import TrainedTower

N, FEATURES, D, C, T = 30, 24, 16, 6, 3
CELL = Cell(Choice("emoji"), "full", Choice("embedded/lit-emoji"))
RECIPE = Recipe(
    optimiser="sgd", lr=1e-2, lr_new=1e-2, epochs=2, batch=15, micro_batch=4, dropout=0.2,
    warmup_epochs=0,
)  # fmt: skip
NAMES = ["car", "boat", "cat", "dog", "tree", "sun"]

Solved = dict[str, tuple[list[float], list[float]]]


class Letters:
    """A text tower: the mean over a table of letters, and over the context."""

    context_dim = D

    def __init__(self) -> None:
        self.module = torch.nn.Embedding(128, D)
        with torch.no_grad():
            self.module.weight.normal_(generator=torch.Generator().manual_seed(5))

    def encode(self, texts: Any, context: TextContext | None = None) -> torch.Tensor:
        rows = []
        for n, text in enumerate(texts):
            letters_LE = self.module(torch.tensor([ord(c) for c in text]))
            parts = [letters_LE]
            if context is not None:
                parts.append(context.vectors if context.vectors.ndim == 2 else context.vectors[n])
            rows.append(torch.cat(parts[::-1]).mean(dim=0))
        return torch.stack(rows)


class Late(torch.nn.Module):
    """A module over time with a parameter: a weighted sum."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.weight_T = torch.nn.Parameter(torch.rand(T, generator=generator))

    def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
        return (z_BTD * self.weight_T[:, None]).sum(dim=1)


def data(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """h_NF around a centre of each class, and y_N."""
    y_N = torch.arange(C).repeat(N // C)
    centre_CF = torch.randn(C, FEATURES, generator=generator)
    return centre_CF[y_N] + 0.3 * torch.randn(N, FEATURES, generator=generator), y_N


def text_head(schedule: str = "frozen", **changes: Any) -> Head:
    """The head of vision_text around drawn rows, with a logit scale of 10."""
    generator = torch.Generator().manual_seed(1)
    fields: dict[str, Any] = {"w_CD": torch.randn(C, D, generator=generator), "schedule": schedule}
    inputs = HeadInputs(C, D, generator, 10.0, train_logit_scale=True, **(fields | changes))
    return conform(Head, vision_text.build(inputs, NoOptions()), "the head")


def problem(
    model: Model, y_N: torch.Tensor, recipe: Recipe, seed: int | None = 0, **changes: Any
) -> Problem:
    return Problem(CELL, model, y_N, recipe, seed, **changes)


def head(kind: str, w_CD: torch.Tensor) -> Head:
    inputs = HeadInputs(
        C, D, torch.Generator(), 10.0, w_CD, schedule="trained", train_logit_scale=True,
        loss="infonce" if kind == "infonce" else "kl",
    )  # fmt: skip
    paradigm = vision_text if kind in ("classified", "frames") else matching
    return conform(Head, paradigm.build(inputs, NoOptions()), "the head")


def texts_of(kind: str) -> TrainedTower | None:
    """A tower that is trained, on names or on captions that are drawn."""
    if kind == "captions":
        several = lambda names: [[f"a {name}", f"the {name}"] for name in names]  # noqa: E731
        return DrawnCaptions(several, Letters(), NAMES, several)
    if kind == "online":
        return TrainedTower(Letters(), NAMES, lambda names: [[name] for name in names])
    return None


def solve(kind: str, drift: float = 0.0) -> tuple[list[float], list[float]]:
    """(losses, weights of the projection and of W, logit scale) after training. With `drift` the
    gradients of head and texts are computed a little wrong in this process.
    """
    generator = torch.Generator().manual_seed(0)
    h_NF, y_N = data(generator)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    w_CD = torch.randn(C, D, generator=generator)
    embedding = Embedding(start.trainable())
    if kind == "frames":
        h_NF = h_NF[:, None] + 0.1 * torch.randn(N, T, FEATURES, generator=generator)
        embedding.temporal = Late(generator)
    texts = texts_of(kind)
    model = Model(CachedFeatures(h_NF), embedding, head(kind, w_CD), texts, gather=kind != "apart")
    of_encoder = {id(t) for t in model.encoder()}
    for tensor in model.tensors():
        if drift and tensor.requires_grad and id(tensor) not in of_encoder:
            tensor.register_hook(lambda gradient: gradient * (1 + drift))
    solution: Solution = train(problem(model, y_N, RECIPE))
    rows = model.head.weight() if texts is None else texts.embed(NAMES)
    scale = model.head.state()["logit_scale"].flatten().to(rows)
    trained = torch.cat([embedding.projection.weight_DF.flatten(), rows.flatten(), scale])
    return [point["loss"] for point in solution.curve], trained.tolist()


def batch_norm() -> list[float]:
    """The running statistics after two updates of three micro-batches, shared out among processes;
    the last update has one, so that some process has none.
    """
    module = torch.nn.Sequential(torch.nn.BatchNorm1d(4)).eval()
    norms, group = BatchNorms(module), world()
    for update, parts in enumerate((3, 1)):
        for number in filter(group.mine, range(parts)):
            generator = torch.Generator().manual_seed(10 * update + number)
            norms.begin_part()
            module(3 + torch.randn(5, 4, generator=generator))
            norms.end_part()
        norms.end_step()
    return torch.cat([buffer.flatten() for buffer in norms.buffers()]).tolist()


#: Kinds whose head and texts every process teaches on the whole batch.
CONTRASTED = ("gathered", "infonce", "online")
KINDS = ("classified", "frames", "gathered", "infonce", "apart", "online", "captions")


def solve_all() -> Solved:
    return {kind: solve(kind) for kind in KINDS}


if __name__ == "__main__":
    with process_group() as group:
        solved = solve_all()
        for kind in CONTRASTED:
            solved[f"{kind}, drifting"] = solve(kind, drift=1e-2 * group.rank)
        solved["batch norm"] = batch_norm(), []
    Path(sys.argv[1]).write_text(json.dumps(solved))
