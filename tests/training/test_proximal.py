"""The proximal term: its gradient, and what it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.errors import CellError
from harness.core.protocols.solver import Problem
from harness.training.cached import CachedFeatures
from harness.training.cycled import CycledFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.probe import ProbeModel
from harness.training.proximal import proximal_terms
from harness.training.rows import StoredRows

from .examples import CELL, FEATURES, D, data, text_head

PLAIN = {"optimiser": "sgd", "epochs": 1, "batch": 30, "warmup_epochs": 0, "decay": "constant"}


def model() -> Model:
    generator = torch.Generator().manual_seed(3)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    h_NF, _ = data(torch.Generator().manual_seed(0))
    return Model(CachedFeatures(h_NF), Embedding(start.trainable()), text_head("trained"))


def terms(trained: Model | ProbeModel, **recipe: Any) -> Any:
    _, y_N = data(torch.Generator().manual_seed(0))
    cell = replace(CELL, shots=4)
    return proximal_terms(trained, Problem(cell, trained, y_N, Recipe(**recipe), 0))


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
    anchors = terms(trained, proximal=1.0)
    assert [a.tensor.shape for a in anchors] == [(D, FEATURES), trained.head.weight().shape]
    assert terms(trained) == ()


def test_a_start_of_zeros_has_the_strength_as_written() -> None:
    trained = model()
    with torch.no_grad():
        trained.embedding.projection.weight_DF.zero_()
    anchors = terms(trained, proximal=2.0)
    assert anchors[0].strength == 2.0
    assert anchors[1].strength == pytest.approx(2.0 / 6), "six rows of length 1"


@pytest.mark.parametrize(("power", "strength"), [(0, 2.0), (1, 0.5), (2, 0.125)])
def test_a_strength_for_the_shots(power: int, strength: float) -> None:
    """ProLIP's lambda is 1/K or 1/K^2; here of 4 shots."""
    found = terms(model(), proximal=2.0, proximal_relative=False, proximal_per_shot=power)
    assert [anchor.strength for anchor in found] == [strength, strength]


C = 6


def probe(views: int = 1) -> tuple[ProbeModel, torch.Tensor]:
    """A cosine head on z_NVD, and labels; class 5 has no sample."""
    generator = torch.Generator().manual_seed(4)
    y_N = torch.tensor([0, 0, 1, 2, 2, 2, 3, 4])
    z_NVD = torch.randn(len(y_N), views, D, generator=generator)
    rows = StoredRows([z_NVD.flatten(0, 1).numpy()], np.arange(len(y_N) * views), D)
    source = (
        CycledFeatures(rows.shaped(len(y_N), views)) if views > 1 else CachedFeatures(z_NVD[:, 0])
    )
    return ProbeModel(source, text_head("trained")), y_N


@pytest.mark.parametrize("views", [1, 3])
def test_classes_are_held_by_how_well_the_start_knows_them(views: int) -> None:
    """CLAP's lambda_c: the mean over the views of its samples of the start's probability; the term
    is (1/C) sum_c lambda_c |w_c - w_c^0|^2 for a strength of 2. Its gradient is that of autograd.
    """
    trained, y_N = probe(views)
    recipe = Recipe(proximal=2.0, proximal_relative=False, proximal_weights="zero_shot")
    (anchor,) = proximal_terms(trained, Problem(CELL, trained, y_N, recipe, 0))
    w_CD = trained.head.weight().detach()
    pooled, _ = trained.source.all_views()
    z_MD = pooled.features(torch.arange(len(y_N) * views))
    p_MC = trained.head.logits(z_MD).detach().softmax(dim=1)
    y_M = y_N.repeat(views)
    lambda_C = torch.zeros(C)
    for c in range(C - 1):
        lambda_C[c] = p_MC[y_M == c][:, c].mean()
    moved_CD = w_CD + torch.randn(w_CD.shape, generator=torch.Generator().manual_seed(1))
    moved_CD.requires_grad_()
    ((lambda_C[:, None] * (moved_CD - w_CD) ** 2).sum() / C).backward()
    tensor = anchor.tensor
    with torch.no_grad():
        tensor.copy_(moved_CD)
    tensor.grad = torch.zeros_like(tensor)
    anchor.add_gradient()
    torch.testing.assert_close(tensor.grad, moved_CD.grad)
    assert (tensor.grad[C - 1] == 0).all(), "nothing is known of a class without samples"


def test_relative_weights_are_divided_by_the_start_and_not_by_the_classes() -> None:
    trained, y_N = probe()
    held = {"proximal": 3.0, "proximal_weights": "zero_shot"}
    absolute, relative = (
        proximal_terms(
            trained, Problem(CELL, trained, y_N, Recipe(**held, proximal_relative=is_relative), 0)
        )[0]
        for is_relative in (False, True)
    )
    squared = trained.head.weight().square().sum().item()
    assert relative.strength == pytest.approx(3.0 / squared)
    assert absolute.rows_C1 is not None
    assert relative.rows_C1 is not None
    torch.testing.assert_close(relative.rows_C1, absolute.rows_C1 * C)


def test_weights_are_of_heads_on_frozen_features() -> None:
    with pytest.raises(CellError, match="a head on frozen features"):
        terms(model(), proximal=1.0, proximal_weights="zero_shot")
