"""Tip-Adapter-F against a loop written from its formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from baselines import tip_adapter_f
from baselines.tip_adapter_f import Options
from harness.core.protocols.method import MethodInputs

from .examples import SCALE, C, assert_logits, inputs, samples
from .reference import AdamW


def affinity(f: torch.Tensor, keys: torch.Tensor, beta: float) -> torch.Tensor:
    return torch.exp(-beta * (1 - f @ keys.T))


def by_hand(
    given: MethodInputs, alpha: float, beta: float, epochs: int, batch: int
) -> torch.Tensor:
    """Keys after training; the gradient is derived by hand."""
    z, y = given.views()
    f = z / z.norm(dim=2, keepdim=True)
    keys = normalize(f.mean(dim=1), dim=1)
    one_hot = torch.eye(C, dtype=z.dtype)[y]
    adam, step, steps = AdamW(0.01, 1e-4), 0, epochs * math.ceil(len(z) / batch)
    for epoch in range(epochs):
        order = torch.randperm(len(z), generator=given.generator)
        for first in range(0, len(z), batch):
            rows = order[first : first + batch]
            x = f[rows, epoch % z.shape[1]]
            a = affinity(x, keys, beta)
            p = (SCALE * x @ given.classifier().T + alpha * a @ one_hot).softmax(dim=1)
            error = (p - one_hot[rows]) / len(rows)
            g = (alpha * beta * a * (error @ one_hot.T)).T @ x
            lr = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
            keys, step = adam.step(keys, g, lr), step + 1
    return keys


@pytest.mark.parametrize("unbalanced", [False, True])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (3.0, 5.5)])
def test_keys_are_those_of_the_loop(alpha: float, beta: float, unbalanced: bool) -> None:
    options = Options(alpha=alpha, beta=beta, epochs=4, batch=6)
    given = inputs(unbalanced=unbalanced)
    state = tip_adapter_f.fit(given, options)
    keys = by_hand(inputs(unbalanced=unbalanced), alpha, beta, 4, 6)
    torch.testing.assert_close(state.cache.keys_ND, keys, rtol=1e-8, atol=1e-10)
    f = normalize(samples(), dim=1)
    values = alpha * torch.eye(C, dtype=f.dtype)[given.views()[1]]
    expected = SCALE * f @ given.classifier().T + affinity(f, keys, beta) @ values
    assert_logits(tip_adapter_f.logits(samples(), state), expected)
    assert tip_adapter_f.facts(state)["steps"] == 4 * math.ceil(len(keys) / 6)
    assert not state.cache.keys_ND.requires_grad


def test_one_shot_and_one_view() -> None:
    given = inputs(shots=1)
    z_NVD, _ = given.views()
    state = tip_adapter_f.fit(replace(given, views_NVD=z_NVD[:, :1]), Options())
    other = inputs(shots=1)
    keys = by_hand(replace(other, views_NVD=z_NVD[:, :1]), 1.0, 1.0, 20, 256)
    torch.testing.assert_close(state.cache.keys_ND, keys, rtol=1e-8, atol=1e-10)


def test_the_seed_gives_the_batches() -> None:
    def keys(seed: int) -> torch.Tensor:
        given = replace(inputs(), generator=torch.Generator().manual_seed(seed))
        return tip_adapter_f.fit(given, Options(batch=6)).cache.keys_ND

    assert torch.equal(keys(1), keys(1))
    assert not torch.equal(keys(1), keys(2))
