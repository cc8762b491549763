import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.errors import CellError
from harness.core.protocols.paradigm import HeadInputs
from harness.paradigms import matching
from harness.paradigms.matching import info_nce, symmetric_kl
from harness.training.loader import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection

C, D, FEATURES, N = 6, 16, 24, 30


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor, Projection, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    y_N = torch.arange(C).repeat(N // C)
    h_NF = torch.randn(C, FEATURES, generator=g)[y_N] + 0.3 * torch.randn(N, FEATURES, generator=g)
    start = Projection(torch.randn(D, FEATURES, generator=g) / 5, torch.zeros(D))
    return h_NF, y_N, start, torch.randn(C, D, generator=g)


def head(w_CD: torch.Tensor, loss: str) -> matching.MatchingHead:
    inputs = HeadInputs(C, D, torch.Generator(), 10.0, w_CD, train_logit_scale=True, loss=loss)
    return matching.build(inputs, matching.Options())


def test_kl_by_its_definition() -> None:
    g = torch.Generator().manual_seed(1)
    logits_BB, y_B = torch.randn(5, 5, generator=g), torch.tensor([0, 1, 0, 2, 1])
    total = 0.0
    for d_BB in (logits_BB, logits_BB.T):
        for i in range(5):
            target = torch.softmax(10 * (y_B == y_B[i]).float(), dim=0)
            total += float((target * (target.log() - torch.log_softmax(d_BB[i], dim=0))).sum())
    assert float(symmetric_kl(logits_BB, y_B)) == pytest.approx(total / 5 / 2, rel=1e-5)


def test_info_nce_by_its_definition() -> None:
    logits_BB = torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
    rows = -torch.log_softmax(logits_BB, dim=1).diagonal().mean()
    columns = -torch.log_softmax(logits_BB, dim=0).diagonal().mean()
    found = info_nce(logits_BB, torch.tensor([0, 0, 1, 2]))
    torch.testing.assert_close(found, (rows + columns) / 2)


def test_evaluation_is_the_similarity_to_every_text(data) -> None:  # type: ignore[no-untyped-def]
    _, _, _, w_CD = data
    z_BD = torch.randn(3, D)
    expected = 10 * F.normalize(z_BD, dim=-1) @ F.normalize(w_CD, dim=-1).T
    torch.testing.assert_close(head(w_CD, "kl").logits(z_BD), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("loss", ["kl", "infonce"])
def test_micro_batches_keep_the_negatives(data, loss: str) -> None:  # type: ignore[no-untyped-def]
    h_NF, y_N, start, w_CD = data

    def weights(micro: int | None) -> torch.Tensor:
        model = Model(CachedFeatures(h_NF), Embedding(start.trainable()), head(w_CD, loss))
        recipe = Recipe(
            optimiser="sgd", lr=1e-2, epochs=3, batch=15, micro_batch=micro, dropout=0.2
        )
        train(model, y_N, recipe, 0)
        return model.embedding.projection.weight_DF.detach()

    whole, parts = weights(None), weights(4)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(whole, start.weight_DF, atol=1e-4)


@pytest.mark.parametrize("loss", ["kl", "infonce"])
def test_matching_learns(data, loss: str) -> None:  # type: ignore[no-untyped-def]
    h_NF, y_N, start, w_CD = data
    model = Model(CachedFeatures(h_NF), Embedding(start.trainable()), head(w_CD, loss))
    history = train(model, y_N, Recipe(lr=1e-2, epochs=20, batch=15, warmup_epochs=0), 0)
    assert history.curve[-1]["train_top1"] > 0.9 > history.curve[0]["train_top1"]


def test_without_texts_there_is_no_matching() -> None:
    with pytest.raises(CellError, match="needs class texts"):
        matching.build(HeadInputs(C, D, torch.Generator(), 10.0), matching.Options())
