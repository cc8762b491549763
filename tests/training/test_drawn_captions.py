"""A trained tower that reads another caption of every class at each step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.protocols.solver import Watch
from harness.training.cached import CachedFeatures
from harness.training.checkpoint import Checkpoint
from harness.training.drawn_captions import DrawnCaptions
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection

from .examples import FEATURES, NAMES, C, D, Letters, N, data, head, problem

TEMPLATES = ("a {}", "the {}", "{} {}", "one {}")
ALL = torch.arange(C)


def captions(names: Sequence[str]) -> list[list[str]]:
    return [[template.replace("{}", name) for template in TEMPLATES] for name in names]


def texts(tower: Any = None) -> DrawnCaptions:
    own: Any = tower or Letters()
    return DrawnCaptions(captions, own, NAMES, captions)


def model(of: DrawnCaptions, kind: str = "infonce") -> tuple[Model, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    h_NF, y_N = data(generator)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    w_CD = torch.randn(C, D, generator=generator)
    return Model(CachedFeatures(h_NF), Embedding(start.trainable()), head(kind, w_CD), of), y_N


def test_every_class_draws_a_template_of_its_own() -> None:
    """By a stream that does not depend on which classes are read."""
    each_CK = [Letters().encode(of_class).detach() for of_class in captions(NAMES)]

    def drawn(seed: int, read: torch.Tensor) -> list[list[int]]:
        of = texts()
        of.begin_epoch(torch.Generator().manual_seed(seed))
        steps = []
        for _ in range(40):
            of.begin_step()
            rows_UD = of.rows(read)
            assert torch.equal(rows_UD, of.rows(read)), "a step has one draw"
            found = [
                (each_CK[c] - row_D).abs().sum(dim=1).argmin()
                for c, row_D in zip(read.tolist(), rows_UD, strict=True)
            ]
            for c, k, row_D in zip(read.tolist(), found, rows_UD, strict=True):
                torch.testing.assert_close(row_D.detach(), each_CK[c][k])
            steps.append([int(k) for k in found])
        return steps

    steps = drawn(0, ALL)
    assert steps == drawn(0, ALL) != drawn(1, ALL)
    assert drawn(0, torch.tensor([4, 1])) == [[step[4], step[1]] for step in steps]
    assert all({step[c] for step in steps} == {0, 1, 2, 3} for c in range(C))
    assert any(len(set(step)) > 1 for step in steps), "classes draw independently"


def test_evaluation_reads_all_templates_through_the_trained_tower() -> None:
    tower = Letters()
    of = texts(tower)
    of.begin_epoch(torch.Generator().manual_seed(0))
    of.begin_step()
    of.rows(ALL).square().sum().backward()
    with torch.no_grad():
        (weight,) = of.pretrained()
        assert weight.grad is not None
        weight -= 0.1 * weight.grad
    expected = torch.stack(
        [F.normalize(tower.encode(group), dim=-1).mean(dim=0) for group in captions(["owl", "car"])]
    )
    found = of.embed(["owl", "car"])
    assert not found.requires_grad
    torch.testing.assert_close(found, expected.detach())
    assert (found - texts().embed(["owl", "car"])).abs().max() > 1e-3
    assert list(of.tower()) == ["weight"]
    assert of.new() == []


def test_training_equals_a_plain_loop_of_flyp() -> None:
    """InfoNCE between pictures and captions, both sides trained; the whole set in every step."""
    of = texts()
    trained, y_N = model(of)
    start, log_scale = trained.embedding.projection, torch.tensor(10.0).log().requires_grad_()
    weight = start.weight_DF.detach().clone().requires_grad_()
    bias = torch.zeros(D, requires_grad=True)
    recipe = Recipe(lr=1e-2, epochs=3, batch=N, warmup_epochs=0, weight_decay=0.1, decay="constant")
    streams: list[torch.Generator] = []
    begin = of.begin_epoch

    def kept(stream: torch.Generator) -> None:
        streams.append(torch.Generator())
        streams[-1].set_state(stream.get_state())
        begin(stream)

    of.begin_epoch = kept  # type: ignore[method-assign]
    solution = train(problem(trained, y_N, recipe))

    tower, h_NF = Letters(), data(torch.Generator().manual_seed(0))[0]
    optimiser = torch.optim.AdamW(
        [weight, bias, tower.module.weight, log_scale], lr=1e-2, weight_decay=0.1
    )
    losses = []
    for stream in streams:
        numbers_C = torch.randint(2**62, (C,), generator=stream) % len(TEMPLATES)
        chosen = [captions([NAMES[c]])[0][numbers_C[c]] for c in range(C)]
        w_ND = F.normalize(tower.encode(chosen), dim=-1)[y_N]
        z_ND = F.normalize(F.linear(h_NF, weight, bias), dim=-1)
        logits_NN = log_scale.exp() * z_ND @ w_ND.T
        target_N = torch.arange(N)
        loss = (F.cross_entropy(logits_NN, target_N) + F.cross_entropy(logits_NN.T, target_N)) / 2
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    # The order of the samples within a batch has no part in the loss.
    assert [point["loss"] for point in solution.curve] == pytest.approx(losses, rel=1e-5)
    (trained_tower,) = of.pretrained()
    torch.testing.assert_close(trained_tower, tower.module.weight, atol=1e-5, rtol=1e-4)


def test_a_training_that_is_interrupted_draws_on(tmp_path: Path) -> None:
    recipe = Recipe(lr=1e-2, epochs=3, batch=10, warmup_epochs=0, weight_decay=0.1)

    def finished(checkpoint: Checkpoint | None = None, watch: Watch | None = None) -> torch.Tensor:
        of = texts()
        trained, y_N = model(of, "gathered")
        train(problem(trained, y_N, recipe, watch=watch or Watch(), checkpoint=checkpoint))
        return of.pretrained()[0].detach()

    checkpoint, steps = Checkpoint(tmp_path / "0.pt"), iter(range(100))
    with pytest.raises(KeyboardInterrupt):  # within the second of three epochs of three steps
        finished(checkpoint, Watch(lambda: next(steps) == 4))
    assert torch.equal(finished(checkpoint), finished())
