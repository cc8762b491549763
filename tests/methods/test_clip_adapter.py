"""CLIP-Adapter against a loop written from its formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy, linear, normalize

from baselines import clip_adapter
from baselines.clip_adapter import Options
from harness.core.protocols.method import MethodInputs

from .examples import SCALE, D, assert_logits, inputs, samples
from .reference import AdamW


def adapted(
    z: torch.Tensor, a1: torch.Tensor, a2: torch.Tensor, given: MethodInputs
) -> torch.Tensor:
    f = z / z.norm(dim=1, keepdim=True)
    new = 0.2 * linear(linear(f, a1).clamp(min=0), a2).clamp(min=0) + 0.8 * f
    out: torch.Tensor = (
        SCALE * (new / new.norm(dim=1, keepdim=True)) @ normalize(given.classifier(), dim=1).T
    )
    return out


def by_hand(given: MethodInputs, epochs: int, batch: int) -> list[torch.Tensor]:
    z, y = given.views()
    h = D // 4
    u = [torch.rand(*s, generator=given.generator, dtype=torch.float64) for s in ((h, D), (D, h))]
    weights = [(2 * u[0] - 1) / math.sqrt(D), (2 * u[1] - 1) / math.sqrt(h)]
    adams = [AdamW(0.01, 1e-8), AdamW(0.01, 1e-8)]
    step, steps = 0, epochs * math.ceil(len(z) / batch)
    for epoch in range(epochs):
        order = torch.randperm(len(z), generator=given.generator)
        for first in range(0, len(z), batch):
            rows = order[first : first + batch]
            a1, a2 = (w.detach().requires_grad_() for w in weights)
            loss = cross_entropy(adapted(z[rows, epoch % z.shape[1]], a1, a2, given), y[rows])
            g = torch.autograd.grad(loss, (a1, a2))
            lr = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
            weights = [o.step(w, x, lr) for o, w, x in zip(adams, weights, g, strict=True)]
            step += 1
    return weights


@pytest.mark.parametrize("case", ["balanced", "unbalanced", "one shot"])
def test_it_is_the_loop(case: str) -> None:
    def given() -> MethodInputs:
        made = inputs(shots=1 if case == "one shot" else 4, unbalanced=case == "unbalanced")
        return replace(made, views_NVD=made.views()[0][:, :1]) if case == "one shot" else made

    state = clip_adapter.fit(given(), Options(epochs=4, batch=6))
    a1, a2 = by_hand(given(), 4, 6)
    torch.testing.assert_close(state.down_HD, a1, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(state.up_DH, a2, rtol=1e-8, atol=1e-10)
    assert_logits(clip_adapter.logits(samples(), state), adapted(samples(), a1, a2, given()))
    assert clip_adapter.parameters(state) == 2 * D * (D // 4)


def test_the_seed_gives_start_and_batches() -> None:
    def weights(seed: int) -> torch.Tensor:
        given = replace(inputs(), generator=torch.Generator().manual_seed(seed))
        return clip_adapter.fit(given, Options(epochs=3)).up_DH

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
