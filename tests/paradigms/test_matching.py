"""matching: its two losses by their definitions, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Cell, Choice, Recipe
from harness.core.errors import CellError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem
from harness.paradigms import matching
from harness.paradigms.matching import info_nce, symmetric_kl
from harness.training.cached import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection

from .inputs import SCALE, C, D, inputs, noise

FEATURES, N = 24, 30
CELL = Cell(Choice("emoji"), "full", Choice("x"), paradigm=Choice("matching"))
Data = tuple[torch.Tensor, torch.Tensor, Projection, torch.Tensor]


@pytest.fixture
def data() -> Data:
    """(h_NF, y_N, a projection, w_CD)."""
    y_N = torch.arange(C).repeat(N // C)
    h_NF = noise(C, FEATURES, seed=1)[y_N] + 0.3 * noise(N, FEATURES, seed=2)
    return h_NF, y_N, Projection(noise(D, FEATURES) / 5, torch.zeros(D)), noise(C, D, seed=3)


def head(w_CD: torch.Tensor | None, loss: str = "kl") -> matching.MatchingHead:
    return matching.build(inputs(w_CD=w_CD, loss=loss), NoOptions())


def test_kl_by_its_definition() -> None:
    logits_BB, y_B = noise(5, 5), torch.tensor([0, 1, 0, 2, 1])
    total = 0.0
    for d_BB in (logits_BB, logits_BB.T):
        for i in range(5):
            target = torch.softmax(10 * (y_B == y_B[i]).float(), dim=0)
            total += float((target * (target.log() - torch.log_softmax(d_BB[i], dim=0))).sum())
    assert float(symmetric_kl(logits_BB, y_B)) == pytest.approx(total / 5 / 2, rel=1e-5)


def test_info_nce_by_its_definition() -> None:
    logits_BB = noise(4, 4)
    rows = -torch.log_softmax(logits_BB, dim=1).diagonal().mean()
    columns = -torch.log_softmax(logits_BB, dim=0).diagonal().mean()
    loss = info_nce(logits_BB, torch.tensor([0, 0, 1, 2]))
    torch.testing.assert_close(loss, (rows + columns) / 2)


@pytest.mark.parametrize(("loss", "function"), [("kl", symmetric_kl), ("infonce", info_nce)])
def test_a_batch_is_contrasted_with_its_own_texts(data: Data, loss: str, function) -> None:  # type: ignore[no-untyped-def]
    w_CD, z_BD, y_B = data[3], noise(4, D), torch.tensor([2, 0, 2, 5])
    logits_BB = SCALE * F.normalize(z_BD, dim=-1) @ F.normalize(w_CD[y_B], dim=-1).T
    torch.testing.assert_close(head(w_CD, loss).loss(z_BD, y_B), function(logits_BB, y_B))
    assert head(w_CD).whole_batch


def test_evaluation_is_the_similarity_to_every_text(data: Data) -> None:
    z_BD, w_CD = noise(3, D), data[3]
    expected = SCALE * F.normalize(z_BD, dim=-1) @ F.normalize(w_CD, dim=-1).T
    torch.testing.assert_close(head(w_CD).logits(z_BD), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("loss", ["kl", "infonce"])
def test_micro_batches_keep_the_negatives(data: Data, loss: str) -> None:
    h_NF, y_N, start, w_CD = data

    def weights(micro: int | None) -> torch.Tensor:
        model = Model(CachedFeatures(h_NF), Embedding(start.trainable()), head(w_CD, loss))
        recipe = Recipe(
            optimiser="sgd", lr=1e-2, epochs=3, batch=15, micro_batch=micro, dropout=0.2
        )
        train(Problem(CELL, model, y_N, recipe, 0))
        return model.embedding.projection.weight_DF.detach()

    whole, parts = weights(None), weights(4)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(whole, start.weight_DF, atol=1e-4)


@pytest.mark.parametrize("loss", ["kl", "infonce"])
def test_it_learns(data: Data, loss: str) -> None:
    h_NF, y_N, start, w_CD = data
    model = Model(CachedFeatures(h_NF), Embedding(start.trainable()), head(w_CD, loss))
    recipe = Recipe(lr=1e-2, epochs=20, batch=15, warmup_epochs=0)
    curve = train(Problem(CELL, model, y_N, recipe, 0)).curve
    assert curve[-1]["train_top1"] > 0.9 > curve[0]["train_top1"]


def test_without_texts_there_is_no_matching() -> None:
    with pytest.raises(CellError, match="needs class texts"):
        head(None)


def test_a_frozen_encoder_is_refused() -> None:
    facts = CellFacts(C, 4, EncoderFacts("w", "b", D, FEATURES, 32, 10.0))
    reason = "matching trains the encoder, and tuning: head freezes it"
    assert matching.check(replace(CELL, tuning="head"), facts) == reason
    assert matching.check(CELL, facts) is None
