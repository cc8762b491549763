import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.errors import CellError
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.paradigms import vision_only, vision_text
from harness.training.checkpoint import Checkpoint
from harness.training.loader import CachedFeatures
from harness.training.loop import History, Watch, dropout
from harness.training.loop import train as train_model
from harness.training.model import Embedding, Model, Projection

N, FEATURES, D, C = 40, 24, 16, 8
RECIPE = Recipe(lr=1e-2, lr_new=5e-2, epochs=5, batch=16, warmup_epochs=1, weight_decay=0.1)


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor, Projection]:
    g = torch.Generator().manual_seed(0)
    y_N = torch.arange(C).repeat(N // C)
    h_NF = torch.randn(C, FEATURES, generator=g)[y_N] + 0.2 * torch.randn(N, FEATURES, generator=g)
    return h_NF, y_N, Projection(torch.randn(D, FEATURES, generator=g) / 5, torch.zeros(D))


def train(
    h_NF: torch.Tensor, y_N: torch.Tensor, start: Projection, head: Head, recipe: Recipe,
    seed: int, **more: Any,
) -> tuple[Projection, History]:  # fmt: skip
    model = Model(CachedFeatures(h_NF), Embedding(start.trainable()), head)
    history = train_model(model, y_N, recipe, seed, **more)
    return model.embedding.projection, history


def text_head(schedule: str = "frozen", **changes: object) -> Head:
    g = torch.Generator().manual_seed(1)
    given = {"w_CD": torch.randn(C, D, generator=g), "schedule": schedule} | changes
    return vision_text.build(
        HeadInputs(C, D, g, 10.0, train_logit_scale=True, **given),  # type: ignore[arg-type]
        vision_text.Options(),
    )


def test_logits_are_the_scaled_cosine() -> None:
    head = text_head()
    z_BD = torch.randn(4, D)
    expected = 10 * F.normalize(z_BD, dim=-1) @ F.normalize(head.weight(), dim=-1).T
    torch.testing.assert_close(head.logits(z_BD), expected, atol=1e-5, rtol=1e-5)


def test_without_normalisation_the_length_of_a_row_counts() -> None:
    head = text_head(normalise=False)
    z_BD = torch.randn(4, D)
    expected = 10 * F.normalize(z_BD, dim=-1) @ head.weight().T
    torch.testing.assert_close(head.logits(z_BD), expected, atol=1e-5, rtol=1e-5)


def test_training_equals_a_plain_loop(data: tuple[torch.Tensor, torch.Tensor, Projection]) -> None:
    """Full batch, no dropout: the order does not matter, so torch alone must agree."""
    h_NF, y_N, start = data
    recipe = Recipe(lr=1e-2, epochs=6, batch=N, warmup_epochs=2, weight_decay=0.1)
    found, _ = train(h_NF, y_N, start, text_head(), recipe, 0)

    weight = start.weight_DF.clone().requires_grad_()
    bias = torch.zeros(D, requires_grad=True)
    scale = torch.tensor(math.log(10.0), requires_grad=True)
    w_CD = F.normalize(text_head().weight(), dim=-1)
    optimiser = torch.optim.AdamW([weight, bias, scale], lr=1e-2, weight_decay=0.1)
    factors = [0, 0.5, 1.0, *(0.5 * (1 + math.cos(math.pi * e / 4)) for e in (1, 2, 3))]
    for factor in factors:
        optimiser.param_groups[0]["lr"] = 1e-2 * factor
        logits_NC = scale.exp() * F.normalize(F.linear(h_NF, weight, bias), dim=-1) @ w_CD.T
        optimiser.zero_grad()
        F.cross_entropy(logits_NC, y_N).backward()
        optimiser.step()
    torch.testing.assert_close(found.weight_DF, weight, atol=1e-6, rtol=1e-5)


def test_training_lowers_the_loss_and_leaves_the_start_alone(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    h_NF, y_N, start = data
    before = start.weight_DF.clone()
    _, done = train(h_NF, y_N, start, text_head(), RECIPE, 0)
    assert done.curve[-1]["loss"] < done.curve[0]["loss"]
    assert done.steps == 5 * 3
    assert torch.equal(start.weight_DF, before)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    h_NF, y_N, start = data
    recipe = Recipe(lr=1e-2, epochs=2, batch=16, dropout=0.3)
    runs = [train(h_NF, y_N, start, text_head(), recipe, s)[0].weight_DF for s in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_a_frozen_classifier_does_not_move_and_a_trained_one_does(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    for schedule, moves in (("frozen", False), ("trained", True), ("released:3", True)):
        head = text_head(schedule)
        before = head.weight().clone()
        train(*data[:2], data[2], head, RECIPE, 0)
        assert torch.equal(before, head.weight()) != moves, schedule


def test_a_released_classifier_stays_until_its_epoch(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    head = text_head("released:3")
    before = head.weight().clone()
    train(*data[:2], data[2], head, Recipe(lr=1e-2, epochs=3, batch=16), 0)
    assert torch.equal(before, head.weight())


def test_the_own_head_has_a_bias_and_the_new_learning_rate(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    inputs = HeadInputs(C, D, torch.Generator().manual_seed(0), 10.0)
    head = vision_only.build(inputs, vision_only.Options())
    before = head.weight().clone()
    train(*data[:2], data[2], head, Recipe(lr=1e-2, lr_new=0.0, epochs=2, batch=16), 0)
    assert torch.equal(before, head.weight())
    assert [tuple(t.shape) for t in head.new()] == [(C, D), (C,)]
    assert head.pretrained() == []
    with pytest.raises(CellError, match="not trained on"):
        head.with_classifier(before)


def test_a_loss_that_is_not_finite_is_the_cells_reason(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    h_NF, y_N, start = data
    with pytest.raises(CellError, match="not a finite number after epoch 1"):
        train(h_NF * float("nan"), y_N, start, text_head(), RECIPE, 0)


def test_an_interruption_stops_between_epochs(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(*data[:2], data[2], text_head(), RECIPE, 0, watch=Watch(lambda: True))


def test_dropout_keeps_the_mean_and_follows_its_stream() -> None:
    ones = torch.ones(2000, 50)
    dropped = dropout(ones, 0.3, torch.Generator().manual_seed(0))
    assert abs(float(dropped.mean()) - 1) < 0.01
    assert abs(float((dropped == 0).float().mean()) - 0.3) < 0.01
    assert torch.equal(dropped, dropout(ones, 0.3, torch.Generator().manual_seed(0)))
    assert dropout(ones, 0.0, torch.Generator()) is ones


def test_micro_batches_give_the_gradients_of_the_batch(
    data: tuple[torch.Tensor, torch.Tensor, Projection],
) -> None:
    h_NF, y_N, start = data
    whole = Recipe(optimiser="sgd", lr=1e-2, epochs=3, batch=16)
    parts = Recipe(optimiser="sgd", lr=1e-2, epochs=3, batch=16, micro_batch=5)
    expected, _ = train(h_NF, y_N, start, text_head(), whole, 0)
    found, _ = train(h_NF, y_N, start, text_head(), parts, 0)
    torch.testing.assert_close(found.weight_DF, expected.weight_DF, atol=1e-5, rtol=1e-5)


def test_an_interrupted_training_ends_as_an_undisturbed_one(
    data: tuple[torch.Tensor, torch.Tensor, Projection], tmp_path: Path
) -> None:
    h_NF, y_N, start = data
    recipe = Recipe(lr=1e-2, lr_new=5e-2, epochs=6, batch=16, warmup_epochs=1, dropout=0.3)
    head = text_head("trained")
    expected, history = train(h_NF, y_N, start, head, recipe, 0)
    place = Checkpoint(tmp_path / "deep" / "last.pt")
    batches = iter(range(100))
    with pytest.raises(KeyboardInterrupt):
        train(h_NF, y_N, start, text_head("trained"), recipe, 0, checkpoint=place,
              watch=Watch(lambda: next(batches) == 10))  # fmt: skip
    again = text_head("trained")
    found, resumed = train(h_NF, y_N, start, again, recipe, 0, checkpoint=place)
    assert torch.equal(found.weight_DF, expected.weight_DF)
    assert torch.equal(again.weight(), head.weight())
    assert [p["loss"] for p in resumed.curve] == [p["loss"] for p in history.curve]
    assert resumed.steps == history.steps


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_checkpoint_that_cannot_be_read_is_begun_again(
    data: tuple[torch.Tensor, torch.Tensor, Projection], tmp_path: Path, content: bytes
) -> None:
    h_NF, y_N, start = data
    place = Checkpoint(tmp_path / "last.pt")
    place.path.write_bytes(content)
    found, _ = train(h_NF, y_N, start, text_head(), RECIPE, 0, checkpoint=place)
    expected, _ = train(h_NF, y_N, start, text_head(), RECIPE, 0)
    assert torch.equal(found.weight_DF, expected.weight_DF)
