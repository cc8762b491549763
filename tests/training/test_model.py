"""The model: projection, module over time, views, and rows of W that are made of texts."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.training.cached import CachedFeatures
from harness.training.model import Embedding, Model, Projection, count
from harness.training.texts import TrainedTower

from .examples import FEATURES, NAMES, C, D, Late, Letters, T, data, head, text_head


@pytest.fixture
def projection() -> Projection:
    generator = torch.Generator().manual_seed(0)
    weight_DF = torch.randn(D, FEATURES, generator=generator)
    return Projection(weight_DF, torch.randn(D, generator=generator))


def test_a_projection_is_linear(projection: Projection) -> None:
    h_BF = torch.randn(3, FEATURES)
    expected = h_BF @ projection.weight_DF.T + projection.bias_D
    torch.testing.assert_close(projection(h_BF), expected)
    bare = Projection(projection.weight_DF, None)
    torch.testing.assert_close(bare(h_BF), h_BF @ projection.weight_DF.T)
    assert (len(projection.parameters()), len(bare.parameters())) == (2, 1)


def test_a_trainable_copy_asks_for_gradients_and_shares_nothing(projection: Projection) -> None:
    own = projection.trainable()
    assert own.weight_DF.requires_grad
    with torch.no_grad():
        own.weight_DF.zero_()
    assert not projection.weight_DF.eq(0).any()
    assert not own.on("cpu").weight_DF.requires_grad


def test_views_are_averaged_before_the_normalisation(projection: Projection) -> None:
    h_NVTF = torch.randn(2, 6, 4, FEATURES)

    class Last(torch.nn.Module):
        def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
            return z_BTD[:, -1]

    z_ND = Embedding(projection, Last())(h_NVTF, views=True)
    expected = torch.stack([projection(h_NVTF[n, :, -1]).mean(dim=0) for n in range(2)])
    torch.testing.assert_close(z_ND, expected)
    h_NVF = h_NVTF[:, :, 0]
    torch.testing.assert_close(
        Embedding(projection)(h_NVF, views=True), projection(h_NVF).mean(dim=1)
    )


def model(projection: Projection, kind: str = "classified", **changes: Any) -> Model:
    generator = torch.Generator().manual_seed(0)
    h_NF, _ = data(generator)
    w_CD = torch.randn(C, D, generator=generator)
    embedding = Embedding(projection.trainable(), Late(generator) if kind == "frames" else None)
    return Model(CachedFeatures(h_NF), embedding, head(kind, w_CD), **changes)


def test_who_is_trained_at_which_rate(projection: Projection) -> None:
    """Projection, logit scale and W at lr, what is new over time at lr_new."""
    trained = model(projection, "frames")
    assert [tuple(t.shape) for t in trained.pretrained()] == [(D, FEATURES), (D,), (), (C, D)]
    assert [tuple(t.shape) for t in trained.new()] == [(T,)]
    assert [tuple(t.shape) for t in trained.encoder()] == [(D, FEATURES), (D,), (T,)]
    assert trained.trained_parameters() == D * FEATURES + D + 1 + T + C * D
    assert trained.feature_dim == FEATURES
    assert trained.device == torch.device("cpu")


def test_a_frozen_classifier_is_no_trained_parameter(projection: Projection) -> None:
    frozen = Model(CachedFeatures(torch.zeros(1, FEATURES)), Embedding(projection), text_head())
    assert frozen.trained_parameters() == 1  # the logit scale: this projection asks for nothing
    assert count([torch.zeros(2, 3), torch.zeros(4)]) == 10


def test_the_gradient_at_w_reaches_the_text_tower(projection: Projection) -> None:
    """Classes of the batch only, where the loss contrasts these alone: as one graph would."""
    tower, reference = Letters(), Letters()
    texts = TrainedTower(tower, NAMES, lambda names: [[name] for name in names])
    trained = model(projection, "online", texts=texts)
    z_BD, y_B = torch.randn(4, D), torch.tensor([2, 0, 2, 5])
    trained.read_texts(y_B)
    trained.head.loss(z_BD, y_B).backward()
    trained.teach_texts()

    whole = model(projection, "online")
    rows_UD = reference.encode([NAMES[c] for c in (0, 2, 5)])
    whole.head.put_rows(torch.tensor([0, 2, 5]), rows_UD.detach(), trained=True)
    whole.head.loss(z_BD, y_B).backward()
    gradient_CD = whole.head.weight_gradient()
    assert gradient_CD is not None
    rows_UD.backward(gradient_CD[[0, 2, 5]])
    assert tower.module.weight.grad is not None
    torch.testing.assert_close(tower.module.weight.grad, reference.module.weight.grad)
    assert tower.module.weight.grad.abs().sum() > 0
    used = {ord(c) for name in ("car", "cat", "sun") for c in name}
    reached = set(tower.module.weight.grad.abs().sum(dim=1).nonzero().flatten().tolist())
    assert reached <= used


def test_without_changing_texts_nothing_is_read_or_taught(projection: Projection) -> None:
    plain = model(projection)
    before = plain.head.weight().clone()
    plain.read_texts(torch.tensor([0, 1]))
    plain.teach_texts()
    assert torch.equal(plain.head.weight(), before)
