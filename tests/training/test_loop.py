"""The training loop: its numbers against plain torch, draws, schedules and interruptions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.conform import conform
from harness.core.errors import CellError
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem, Solution, Watch
from harness.paradigms import vision_only
from harness.training.cached import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.step import dropout

from .examples import CELL, FEATURES, C, D, N, data, text_head

RECIPE = Recipe(lr=1e-2, lr_new=5e-2, epochs=5, batch=16, warmup_epochs=1, weight_decay=0.1)


@pytest.fixture
def start() -> Projection:
    generator = torch.Generator().manual_seed(3)
    return Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))


def trained(
    start: Projection, head: Head, recipe: Recipe, seed: int = 0, *, broken: bool = False,
    **changes: Any,
) -> tuple[Projection, Solution]:  # fmt: skip
    """The projection after training on `data`, and the solution."""
    h_NF, y_N = data(torch.Generator().manual_seed(0))
    h_NF = h_NF * float("nan") if broken else h_NF
    model = Model(CachedFeatures(h_NF), Embedding(start.trainable()), head)
    solution = train(Problem(CELL, model, y_N, recipe, seed, **changes))
    return model.embedding.projection, solution


def test_training_equals_a_plain_loop(start: Projection) -> None:
    """Full batch, no dropout: the order does not matter, so torch alone must agree."""
    h_NF, y_N = data(torch.Generator().manual_seed(0))
    recipe = Recipe(lr=1e-2, epochs=6, batch=N, warmup_epochs=2, weight_decay=0.1)
    projection, solution = trained(start, text_head(), recipe)

    weight = start.weight_DF.clone().requires_grad_()
    bias = torch.zeros(D, requires_grad=True)
    scale = torch.tensor(math.log(10.0), requires_grad=True)
    w_CD = F.normalize(text_head().weight(), dim=-1)
    optimiser = torch.optim.AdamW([weight, bias, scale], lr=1e-2, weight_decay=0.1)
    factors = [0, 0.5, 1.0, *(0.5 * (1 + math.cos(math.pi * e / 4)) for e in (1, 2, 3))]
    losses = []
    for factor in factors:
        optimiser.param_groups[0]["lr"] = 1e-2 * factor
        logits_NC = scale.exp() * F.normalize(F.linear(h_NF, weight, bias), dim=-1) @ w_CD.T
        optimiser.zero_grad()
        loss = F.cross_entropy(logits_NC, y_N)
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    torch.testing.assert_close(projection.weight_DF, weight, atol=1e-6, rtol=1e-5)
    assert [point["loss"] for point in solution.curve] == pytest.approx(losses, rel=1e-5)


def test_training_lowers_the_loss_and_leaves_the_start_alone(start: Projection) -> None:
    before = start.weight_DF.clone()
    _, solution = trained(start, text_head(), RECIPE)
    assert solution.curve[-1]["loss"] < solution.curve[0]["loss"]
    assert [point["epoch"] for point in solution.curve] == [1, 2, 3, 4, 5]
    assert solution.steps == 5 * math.ceil(N / 16)
    assert torch.equal(start.weight_DF, before)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(start: Projection) -> None:
    recipe = Recipe(lr=1e-2, epochs=2, batch=16, dropout=0.3)
    runs = [trained(start, text_head(), recipe, seed)[0].weight_DF for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize(
    ("schedule", "epochs", "moves"),
    [("frozen", 5, False), ("trained", 5, True), ("released:3", 5, True), ("released:3", 3, False)],
)
def test_a_classifier_moves_from_the_epoch_on_in_which_it_is_released(
    start: Projection, schedule: str, epochs: int, moves: bool
) -> None:
    head = text_head(schedule)
    before = head.weight().clone()
    trained(start, head, Recipe(lr=1e-2, lr_new=5e-2, epochs=epochs, batch=16, warmup_epochs=1))
    assert torch.equal(before, head.weight()) != moves


def test_new_parameters_have_the_rate_lr_new(start: Projection) -> None:
    inputs = HeadInputs(C, D, torch.Generator().manual_seed(0), 10.0)
    head = conform(Head, vision_only.build(inputs, NoOptions()), "the head")
    before = head.weight().clone()
    recipe = Recipe(lr=1e-2, lr_new=0.0, epochs=2, batch=16)
    projection, _ = trained(start, head, recipe)
    assert torch.equal(before, head.weight())
    assert not torch.equal(projection.weight_DF, start.weight_DF)
    frozen, _ = trained(start, head, Recipe(lr=0.0, lr_new=1e-1, epochs=2, batch=16))
    assert torch.equal(frozen.weight_DF, start.weight_DF)
    assert not torch.equal(before, head.weight())


def test_micro_batches_give_the_gradients_of_the_batch(start: Projection) -> None:
    whole = Recipe(optimiser="sgd", lr=1e-2, epochs=3, batch=16)
    parts = Recipe(optimiser="sgd", lr=1e-2, epochs=3, batch=16, micro_batch=5)
    expected, _ = trained(start, text_head(), whole)
    found, _ = trained(start, text_head(), parts)
    torch.testing.assert_close(found.weight_DF, expected.weight_DF, atol=1e-5, rtol=1e-5)


def test_a_watch_sees_every_epoch_with_its_rate(start: Projection) -> None:
    points: list[Any] = []
    recipe = Recipe(lr=1e-2, epochs=4, batch=N, warmup_epochs=2, decay="constant")
    _, solution = trained(start, text_head(), recipe, watch=Watch(epoch=points.append))
    assert [point["lr"] for point in points] == pytest.approx([0, 0.005, 0.01, 0.01])
    assert [{k: v for k, v in p.items() if k != "lr"} for p in points] == solution.curve


@pytest.mark.parametrize("decay", ["cosine", "constant"])
def test_the_rate_warms_up_inside_an_epoch(start: Projection, decay: str) -> None:
    """Fractional epochs: the last of two batches of the first epoch of two is a quarter up."""
    points: list[Any] = []
    recipe = Recipe(lr=1e-2, epochs=4, batch=N // 2, warmup_epochs=2, decay=decay)
    trained(start, text_head(), recipe, watch=Watch(epoch=points.append))
    last = 0.5 * (1 + math.cos(math.pi * 1.5 / 2)) if decay == "cosine" else 1.0
    assert points[0]["lr"] == pytest.approx(1e-2 * 0.25)
    assert points[-1]["lr"] == pytest.approx(1e-2 * last)


def test_the_rate_may_be_set_at_every_tenth_iteration_only(start: Projection) -> None:
    """Iteration i of an epoch of 30 has the rate of iteration 10 floor(i / 10)."""
    recipe = Recipe(
        optimiser="sgd", weight_decay=0.0, lr=1e-3, epochs=3, batch=1, warmup_epochs=2, lr_every=10
    )
    rates: list[float] = []
    step = torch.optim.SGD.step

    def noted(self: Any, *args: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.SGD, "step", noted)
        trained(start, text_head(), recipe)

    def rate(epoch: int, i: int) -> float:
        e = epoch + 10 * (i // 10) / N
        return 1e-3 * (e / 2 if e < 2 else 0.5 * (1 + math.cos(math.pi * (e - 2) / 1)))

    assert N == 30
    assert rates == pytest.approx([rate(epoch, i) for epoch in range(3) for i in range(N)])
    assert len(set(rates)) == 9


def test_an_epoch_may_read_every_sample_several_times(start: Projection) -> None:
    """The list is repeated, then shuffled: 4 N samples in batches, each of N in it 4 times."""
    h_NF, y_N = data(torch.Generator().manual_seed(0))
    seen: list[int] = []

    class Noting(CachedFeatures):
        def features(self, batch_B: torch.Tensor) -> torch.Tensor:
            seen.extend(batch_B.tolist())
            return super().features(batch_B)

    recipe = Recipe(lr=1e-2, epochs=2, batch=7, warmup_epochs=0)
    model = Model(Noting(h_NF), Embedding(start.trainable()), text_head())
    solution = train(Problem(CELL, model, y_N, recipe, 0, repeats=4))
    assert solution.steps == 2 * math.ceil(4 * N / 7)
    for epoch in (seen[: 4 * N], seen[4 * N :]):
        assert sorted(epoch) == list(range(4 * N))
    assert [n % N for n in seen[:N]] != list(range(N)), "shuffled over the whole list"
    assert 0 <= solution.curve[-1]["train_top1"] <= 1
    assert solution.curve[-1]["loss"] < solution.curve[0]["loss"]


def test_a_loss_that_is_not_finite_is_the_cells_reason(start: Projection) -> None:
    with pytest.raises(CellError, match="not a finite number after epoch 1"):
        trained(start, text_head(), RECIPE, broken=True)


def test_an_interruption_stops_before_the_next_batch(start: Projection) -> None:
    asked: list[int] = []
    watch = Watch(lambda: len(asked) == 3 or asked.append(1) is not None)
    with pytest.raises(KeyboardInterrupt):
        trained(start, text_head(), RECIPE, watch=watch)
    assert len(asked) == 3


def test_dropout_keeps_the_mean_and_follows_its_stream() -> None:
    ones = torch.ones(2000, 50)
    dropped = dropout(ones, 0.3, torch.Generator().manual_seed(0))
    assert abs(float(dropped.mean()) - 1) < 0.01
    assert abs(float((dropped == 0).float().mean()) - 0.3) < 0.01
    assert torch.equal(dropped, dropout(ones, 0.3, torch.Generator().manual_seed(0)))
    assert dropout(ones, 0.0, torch.Generator()) is ones


def test_lower_precision_leaves_the_loss_in_float32(start: Projection) -> None:
    recipe = Recipe(lr=1e-2, epochs=2, batch=N)
    exact, _ = trained(start, text_head(), recipe)
    rounded, solution = trained(
        start, text_head(), Recipe(lr=1e-2, epochs=2, batch=N, precision="bfloat16")
    )
    assert rounded.weight_DF.dtype == torch.float32
    assert not torch.equal(exact.weight_DF, rounded.weight_DF)
    assert math.isfinite(solution.curve[-1]["loss"])


# --- a budget in iterations ----------------------------------------------------------------------


def test_iterations_end_within_an_epoch(start: Projection) -> None:
    """30 samples in batches of 8 are four steps; ten are two epochs and a half."""
    recipe = Recipe(lr=1e-2, batch=8, warmup_epochs=0, weight_decay=0.0, iterations=10)
    factors = []
    _, solution = trained(
        start, text_head(), recipe, watch=Watch(epoch=lambda point: factors.append(point["lr"]))
    )
    assert solution.steps == 10
    assert [point["epoch"] for point in solution.curve] == [1, 2, 3]
    # The rate of an epoch's last step; the cosine ends after ten.
    last = [3 / 10, 7 / 10, 9 / 10]
    expected = [1e-2 * 0.5 * (1 + math.cos(math.pi * part)) for part in last]
    assert factors == pytest.approx(expected)
    assert solution.curve[2]["train_top1"] * 16 == pytest.approx(
        round(solution.curve[2]["train_top1"] * 16)
    ), "a mean over the 16 samples that were read"


def test_as_many_iterations_as_epochs_have_are_the_same_training(start: Projection) -> None:
    plain = {"lr": 1e-2, "batch": 8, "warmup_epochs": 1}
    by_epochs, a = trained(start, text_head(), Recipe(**plain, epochs=3))
    by_steps, b = trained(start, text_head(), Recipe(**plain, iterations=12))
    assert torch.equal(by_epochs.weight_DF, by_steps.weight_DF)
    assert [p["loss"] for p in a.curve] == [p["loss"] for p in b.curve]


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_every_optimiser_lowers_the_loss(start: Projection, optimiser: str) -> None:
    recipe = Recipe(optimiser=optimiser, lr=1e-2, epochs=5, batch=16, warmup_epochs=0)
    _, solution = trained(start, text_head(), recipe)
    assert solution.curve[-1]["loss"] < solution.curve[0]["loss"]
