"""A small training of every kind of head, for one process or several: `problem.py FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from harness.core.cells import Recipe
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.paradigms import matching, vision_text
from harness.training.distributed import process_group
from harness.training.loader import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.texts import TrainedTower

N, FEATURES, D, C, T = 30, 24, 16, 6, 3
RECIPE = Recipe(
    optimiser="sgd", lr=1e-2, lr_new=1e-2, epochs=2, batch=15, micro_batch=4, dropout=0.2,
    warmup_epochs=0,
)  # fmt: skip

Solved = dict[str, tuple[list[float], list[float]]]


class Letters:
    """A text tower: the mean over a table of letters."""

    context_dim = D

    def __init__(self) -> None:
        self.module = torch.nn.Embedding(128, D)
        with torch.no_grad():
            self.module.weight.normal_(generator=torch.Generator().manual_seed(5))

    def encode(self, texts: list[str], context_ME: torch.Tensor | None = None) -> torch.Tensor:
        rows = [self.module(torch.tensor([ord(c) for c in text])).mean(dim=0) for text in texts]
        return torch.stack(rows)


def head(kind: str, w_CD: torch.Tensor) -> Head:
    inputs = HeadInputs(
        C, D, torch.Generator(), 10.0, w_CD, schedule="trained", train_logit_scale=True,
        loss="infonce" if kind == "infonce" else "kl",
    )  # fmt: skip
    if kind in ("classified", "frames"):
        return vision_text.build(inputs, vision_text.Options())
    return matching.build(inputs, matching.Options())


def solve(kind: str) -> tuple[list[float], list[float]]:
    """(losses, weights of the projection) after training."""
    g = torch.Generator().manual_seed(0)
    y_N = torch.arange(C).repeat(N // C)
    centre_CF = torch.randn(C, FEATURES, generator=g)
    h_NF = centre_CF[y_N] + 0.3 * torch.randn(N, FEATURES, generator=g)
    start = Projection(torch.randn(D, FEATURES, generator=g) / 5, torch.zeros(D))
    w_CD = torch.randn(C, D, generator=g)
    embedding = Embedding(start.trainable())
    if kind == "frames":
        h_NF = h_NF[:, None] + 0.1 * torch.randn(N, T, FEATURES, generator=g)
        embedding.temporal = Late(g)
    names = ["car", "boat", "cat", "dog", "tree", "sun"]
    texts = TrainedTower(Letters(), names, lambda own: [[name] for name in own])
    model = Model(
        CachedFeatures(h_NF), embedding, head(kind, w_CD),
        texts if kind == "online" else None, gather=kind != "apart",
    )  # fmt: skip
    history = train(model, y_N, RECIPE, 0)
    rows = model.head.weight() if kind != "online" else texts.embed(names)
    trained = torch.cat([embedding.projection.weight_DF.flatten(), rows.flatten()])
    return [point["loss"] for point in history.curve], trained.tolist()


class Late(torch.nn.Module):
    """A module over time with a parameter: a weighted mean."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.weight_T = torch.nn.Parameter(torch.rand(T, generator=generator))

    def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
        return (z_BTD * self.weight_T[:, None]).sum(dim=1)


KINDS = ("classified", "frames", "gathered", "infonce", "apart", "online")


def solve_all() -> Solved:
    return {kind: solve(kind) for kind in KINDS}


if __name__ == "__main__":
    with process_group():
        found = solve_all()
    Path(sys.argv[1]).write_text(json.dumps(found))
