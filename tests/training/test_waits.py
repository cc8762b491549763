"""How often a training waits for its GPU: to read the losses, once an epoch."""

from __future__ import annotations

import pytest
import torch
from pretended_gpu import pretended_gpu

from harness.core.cells import Recipe
from harness.core.protocols.solver import Problem
from harness.training.cached import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection

from .examples import CELL, FEATURES, D, N, data, text_head

GPU = "cuda:0"


def problem(recipe: Recipe) -> Problem:
    """A projection and a text head on the pretended GPU."""
    stream = torch.Generator().manual_seed(3)
    h_NF, y_N = data(torch.Generator().manual_seed(0))
    projection = Projection(torch.randn(D, FEATURES, generator=stream) / 5, torch.zeros(D))
    head = text_head()
    head.to(torch.device(GPU))
    model = Model(CachedFeatures(h_NF.to(GPU)), Embedding(projection.trainable(GPU)), head)
    return Problem(CELL, model, y_N.to(GPU), recipe, 0)


@pytest.mark.parametrize("micro_batch", [None, 4])
@pytest.mark.parametrize("optimiser", ["adamw", "adam", "sgd"])
def test_a_step_never_waits_for_the_device(micro_batch: int | None, optimiser: str) -> None:
    """With twice as many steps there is no wait more: one an epoch, to read the sums."""
    waits = []
    for batch in (N // 2, N // 4):
        recipe = Recipe(
            epochs=3, batch=batch, micro_batch=micro_batch, dropout=0.2, optimiser=optimiser
        )
        with pretended_gpu() as gpu:
            made = problem(recipe)
            with gpu.counted() as counts:
                solution = train(made)
        assert solution.steps == 3 * -(-N // batch)
        waits.append(counts.waits)
    assert waits[0] == waits[1], "a step waits"
    assert {place.split(" ")[0]: n for place, n in waits[1].items()} == {"tolist": 3}
