"""RLA against a loop written from its formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from baselines import rla
from baselines.rla import Options
from harness.core.protocols.method import MethodInputs

from .examples import SCALE, C, D, assert_logits, inputs, samples
from .reference import AdamW


def by_hand(given: MethodInputs, lr: float, weight: float, steps: int) -> torch.Tensor:
    """A; the gradient through the normalised A f is written out."""
    z, y = given.views()
    t = SCALE * normalize(given.classifier(), dim=1)
    eye, one_hot = torch.eye(D, dtype=z.dtype), torch.eye(C, dtype=z.dtype)[y]
    a, adam = eye, AdamW(0.0, 1e-4)
    for step in range(steps):
        f = normalize(z[:, step % z.shape[1]], dim=1)
        moved = f @ a.T
        length = moved.norm(dim=1, keepdim=True)
        u = moved / length
        d_u = ((u @ t.T).softmax(dim=1) - one_hot) @ t / len(f)
        d_moved = (d_u - u * (u * d_u).sum(dim=1, keepdim=True)) / length
        g = d_moved.T @ f + 2 * weight * (a - eye)
        a = adam.step(a, g, lr * 0.5 * (1 + math.cos(math.pi * step / steps)))
    return a


@pytest.mark.parametrize("case", ["balanced", "unbalanced", "one shot"])
@pytest.mark.parametrize("per_shot", [0, 1, 2])
def test_it_is_the_loop(case: str, per_shot: int) -> None:
    shots, unbalanced = (1 if case == "one shot" else 4), case == "unbalanced"
    given = inputs(shots=shots, unbalanced=unbalanced)
    mean_shots = 3.0 if unbalanced else float(shots)  # classes of 1, 2, 3, 4 and 5 pictures
    if case == "one shot":
        given = replace(given, views_NVD=given.views()[0][:, :1])
    options = Options(lr=0.01, strength=0.3, per_shot=per_shot, steps=12)
    state = rla.fit(given, options)
    a = by_hand(given, 0.01, 0.3 / mean_shots**per_shot, 12)
    torch.testing.assert_close(state.a_DD, a, rtol=1e-8, atol=1e-10)
    moved = samples() @ a.T
    t = SCALE * normalize(given.classifier(), dim=1)
    assert_logits(rla.logits(samples(), state), moved / moved.norm(dim=1, keepdim=True) @ t.T)
    assert rla.parameters(state) == D * D
    assert rla.facts(state)["steps"] == 12


def test_without_options_lambda_is_1_by_k_and_nothing_is_decayed() -> None:
    state = rla.fit(inputs(), Options())
    assert state.penalty == 0.25
    assert state.steps == 300
    a = by_hand(inputs(), 1e-4, 0.25, 300)
    torch.testing.assert_close(state.a_DD, a, rtol=1e-8, atol=1e-10)


def test_a_relative_strength_is_divided_by_the_width() -> None:
    """|I|_F^2 is D."""
    relative = rla.fit(inputs(), Options(strength=0.6, relative=True, steps=5))
    assert relative.penalty == pytest.approx(0.6 / 4 / D, rel=1e-12)
    absolute = rla.fit(inputs(), Options(strength=0.6 / D, steps=5))
    torch.testing.assert_close(relative.a_DD, absolute.a_DD, rtol=1e-12, atol=0)


def test_a_strong_penalty_leaves_zero_shot() -> None:
    state = rla.fit(inputs(), Options(strength=1e9, lr=1e-5))
    expected = SCALE * normalize(samples(), dim=1) @ inputs().classifier().T
    torch.testing.assert_close(rla.logits(samples(), state), expected, rtol=0, atol=1e-2)


def test_the_length_of_a_picture_does_not_matter() -> None:
    given = inputs()
    longer = replace(given, views_NVD=7 * given.views()[0])
    found = [rla.fit(each, Options(steps=5)).a_DD for each in (given, longer)]
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-12)
