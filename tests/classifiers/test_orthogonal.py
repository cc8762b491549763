"""orthogonal: rows of length 1 without correlations."""

from __future__ import annotations

import torch

from harness.classifiers import orthogonal

from .inputs import PLAIN, C, D, cell, facts, inputs


def test_the_rows_are_orthonormal(text_CD: torch.Tensor) -> None:
    w_CD = orthogonal.build(inputs(text_CD), PLAIN)
    assert w_CD.shape == (C, D)
    torch.testing.assert_close(w_CD @ w_CD.T, torch.eye(C), atol=1e-5, rtol=0)


def test_another_seed_draws_other_rows(text_CD: torch.Tensor) -> None:
    first_CD, again_CD, other_CD = (
        orthogonal.build(inputs(text_CD, seed), PLAIN) for seed in (0, 0, 1)
    )
    assert torch.equal(first_CD, again_CD)
    assert not torch.allclose(first_CD, other_CD)


def test_more_classes_than_dimensions_are_infeasible() -> None:
    assert orthogonal.check(cell("orthogonal"), facts(n_classes=D)) is None
    reason = orthogonal.check(cell("orthogonal"), facts(n_classes=D + 1))
    assert reason == "an orthogonal classifier needs at most as many classes as dimensions: 33 > 32"
