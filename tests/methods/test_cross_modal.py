"""The cross-modal probe against a loop written from its formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from baselines import cross_modal
from baselines.cross_modal import Options
from harness.core.protocols.method import MethodInputs

from .examples import SCALE, C, assert_logits, inputs, samples
from .reference import AdamW


def take(left: list[int], n: int, half: int, stream: torch.Generator) -> list[int]:
    while len(left) < half:
        left += torch.randperm(n, generator=stream).tolist()
    taken, left[:] = left[:half], left[half:]
    return taken


def by_hand(given: MethodInputs, iterations: int) -> torch.Tensor:
    """W with batches of 8; the gradient of softmax regression is written out."""
    z, y = given.views()
    f = normalize(z.reshape(-1, z.shape[2]), dim=1)
    labels = [int(label) for label in y for _ in range(z.shape[1])]
    t = normalize(given.classifier(), dim=1)
    w, adam = t, AdamW(0.01, 1e-8)
    left_f: list[int] = []
    left_t: list[int] = []
    for step in range(iterations):
        rows_f = take(left_f, len(f), 4, given.generator)
        rows_t = take(left_t, C, 4, given.generator)
        x = torch.cat([f[rows_f], t[rows_t]])
        one_hot = torch.eye(C, dtype=f.dtype)[[labels[i] for i in rows_f] + rows_t]
        g = SCALE * ((SCALE * x @ w.T).softmax(dim=1) - one_hot).T @ x / 8
        done = (step - 50) / (iterations - 50)
        warm = 1e-5 + (1e-3 - 1e-5) * step / 50
        lr = warm if step < 50 else 1e-3 * 0.5 * (1 + math.cos(math.pi * done))
        w = adam.step(w, g, lr)
    return w


@pytest.mark.parametrize("wise", [False, True])
@pytest.mark.parametrize("case", ["balanced", "unbalanced", "one shot"])
def test_it_is_the_loop(case: str, wise: bool) -> None:
    def given() -> MethodInputs:
        made = inputs(shots=1 if case == "one shot" else 4, unbalanced=case == "unbalanced")
        return replace(made, views_NVD=made.views()[0][:, :1]) if case == "one shot" else made

    state = cross_modal.fit(given(), Options(batch=8, iterations=60, wise=wise))
    w = by_hand(given(), 60)
    if wise:
        w = (w + normalize(given().classifier(), dim=1)) / 2
    torch.testing.assert_close(cross_modal.weight(state), w, rtol=1e-8, atol=1e-10)
    assert_logits(cross_modal.logits(samples(), state), SCALE * normalize(samples(), dim=1) @ w.T)


def test_the_learning_rate_at_some_steps() -> None:
    found = [cross_modal.rate(1e-3, step, 1050) for step in (0, 25, 50, 550)]
    assert found == pytest.approx([1e-5, 5.05e-4, 1e-3, 5e-4], rel=1e-12)


def test_the_seed_gives_the_batches() -> None:
    def rows(seed: int) -> torch.Tensor:
        given = replace(inputs(), generator=torch.Generator().manual_seed(seed))
        return cross_modal.fit(given, Options(batch=8, iterations=60)).w_CD

    assert torch.equal(rows(1), rows(1))
    assert not torch.equal(rows(1), rows(2))
