"""The proximal term: its gradient, and what it holds."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.protocols.solver import Problem
from harness.training.cached import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.proximal import proximal_terms

from .examples import CELL, FEATURES, D, data, text_head

PLAIN = {"optimiser": "sgd", "epochs": 1, "batch": 30, "warmup_epochs": 0, "decay": "constant"}


def model() -> Model:
    generator = torch.Generator().manual_seed(3)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    h_NF, _ = data(torch.Generator().manual_seed(0))
    return Model(CachedFeatures(h_NF), Embedding(start.trainable()), text_head("trained"))


@pytest.mark.parametrize("relative", [True, False])
def test_it_adds_the_gradient_of_the_squared_distance(relative: bool) -> None:
    """Against autograd on loss + (strength/2) |W - W0|^2 over both matrices, after two steps."""
    trained, (h_NF, y_N) = model(), data(torch.Generator().manual_seed(0))
    recipe = Recipe(
        **PLAIN | {"epochs": 2}, lr=0.1, weight_decay=0.0, proximal=3.0, proximal_relative=relative
    )
    before = [t.detach().clone() for t in trained.tensors()]
    train(Problem(CELL, trained, y_N, recipe, 0))

    weight, bias, log_scale, w_CD = (t.clone().requires_grad_() for t in before)
    starts = [weight.detach().clone(), w_CD.detach().clone()]
    optimiser = torch.optim.SGD([weight, bias, log_scale, w_CD], lr=0.1, momentum=0.9)
    for _ in range(2):
        z_ND = F.normalize(F.linear(h_NF, weight, bias), dim=-1)
        loss = F.cross_entropy(log_scale.exp() * z_ND @ F.normalize(w_CD, dim=-1).T, y_N)
        for tensor, start in zip((weight, w_CD), starts, strict=True):
            strength = 3.0 / start.square().sum() if relative else 3.0
            loss = loss + strength / 2 * (tensor - start).square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for mine, plain in zip(trained.tensors(), (weight, bias, log_scale, w_CD), strict=True):
        torch.testing.assert_close(mine, plain, rtol=1e-4, atol=1e-5)


def test_it_holds_matrices_and_nothing_else() -> None:
    trained = model()
    anchors = proximal_terms(trained, Recipe(proximal=1.0))
    assert [a.tensor.shape for a in anchors] == [(D, FEATURES), trained.head.weight().shape]
    assert proximal_terms(trained, Recipe()) == ()


def test_a_start_of_zeros_has_the_strength_as_written() -> None:
    trained = model()
    with torch.no_grad():
        trained.embedding.projection.weight_DF.zero_()
    anchors = proximal_terms(trained, Recipe(proximal=2.0))
    assert anchors[0].strength == 2.0
    assert anchors[1].strength == pytest.approx(2.0 / 6), "six rows of length 1"
