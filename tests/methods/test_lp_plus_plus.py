"""LP++ against a loop with autograd, an optimiser of torch and an alpha that is never zeroed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from baselines import lp_plus_plus
from baselines.lp_plus_plus import Options
from harness.core.protocols.method import MethodInputs

from .examples import C, D, assert_logits, inputs, samples

Form = Literal["published", "clean"]


def by_hand(given: MethodInputs, form: Form, steps: int) -> list[torch.Tensor]:
    """W, b and alpha after some steps."""
    (z, y), t = given.support(), normalize(given.classifier(), dim=1)
    f = normalize(z, dim=1)
    of_class = [f[y == c] for c in range(C)]
    rows = [x.sum(dim=0) if form == "published" else x.mean(dim=0) for x in of_class]
    w = torch.stack(rows).requires_grad_()
    u = torch.rand(C, generator=given.generator, dtype=torch.float64)
    b = ((2 * u - 1) / D**0.5).requires_grad_()
    near = [(x @ t[c]).mean() for c, x in enumerate(of_class)]
    alpha = (250 * torch.stack(near).mean() * torch.ones(C, dtype=f.dtype)).requires_grad_()
    top = torch.linalg.matrix_norm(f, ord=2).item() ** 2
    sgd = torch.optim.SGD([w, b], lr=4 * len(f) / top, momentum=0.9)
    lr_a = len(f) / (4 * max(((f @ row) ** 2).sum().item() for row in t))
    for step in range(steps):
        sgd.zero_grad()
        if form == "clean":
            alpha.grad = None
        cross_entropy(f @ w.T + b + alpha * (f @ t.T), y).backward()
        sgd.step()
        if (step + 1) % 10 == 0:
            assert alpha.grad is not None
            alpha.data -= lr_a * alpha.grad
    return [x.detach() for x in (w, b, alpha)]


@pytest.mark.parametrize("form", ["published", "clean"])
@pytest.mark.parametrize("case", ["balanced", "unbalanced", "one shot"])
@pytest.mark.parametrize("steps", [1, 25])
def test_it_is_the_loop(form: Form, case: str, steps: int) -> None:
    def given() -> MethodInputs:
        return inputs(shots=1 if case == "one shot" else 4, unbalanced=case == "unbalanced")

    state = lp_plus_plus.fit(given(), Options(form=form, steps=steps))
    w, b, alpha = by_hand(given(), form, steps)
    for found, expected in ((state.w_CD, w), (state.b_C, b), (state.alpha_C, alpha)):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-9)
    f, t = normalize(samples(), dim=1), normalize(given().classifier(), dim=1)
    assert_logits(lp_plus_plus.logits(samples(), state), f @ w.T + b + alpha * (f @ t.T))


def test_the_seed_gives_the_bias() -> None:
    def bias(seed: int) -> torch.Tensor:
        given = replace(inputs(), generator=torch.Generator().manual_seed(seed))
        return lp_plus_plus.fit(given, Options(steps=2)).b_C

    assert torch.equal(bias(1), bias(1))
    assert not torch.equal(bias(1), bias(2))
