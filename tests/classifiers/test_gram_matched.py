"""gram_matched: the correlations of the text, as near as can be to the random draw."""

from __future__ import annotations

import torch

from harness.classifiers import gram_matched, random

from .inputs import PLAIN, C, D, cell, facts, gram, inputs


def test_it_has_the_correlations_of_text_near_the_random_draw(text_CD: torch.Tensor) -> None:
    w_CD = gram_matched.build(inputs(text_CD), PLAIN)
    torch.testing.assert_close(gram(w_CD), gram(text_CD), atol=1e-5, rtol=0)
    r_CD = random.build(inputs(text_CD), PLAIN)
    best = float((w_CD - r_CD).norm())
    for seed in range(20):  # no other matrix with that Gram is nearer
        q_DD = torch.linalg.qr(torch.randn(D, D, generator=torch.Generator().manual_seed(seed))).Q
        assert float((w_CD @ q_DD - r_CD).norm()) >= best - 1e-4


def test_texts_that_depend_on_each_other_are_matched_too(text_CD: torch.Tensor) -> None:
    """Their Gram matrix is singular."""
    text_CD[C - 1] = text_CD[0]
    w_CD = gram_matched.build(inputs(text_CD), PLAIN)
    torch.testing.assert_close(gram(w_CD), gram(text_CD), atol=1e-5, rtol=0)


def test_more_classes_than_dimensions_are_infeasible() -> None:
    assert gram_matched.check(cell("gram_matched"), facts(n_classes=D)) is None
    reason = gram_matched.check(cell("gram_matched"), facts(n_classes=D + 1))
    assert (
        reason == "a Gram-matched classifier needs at most as many classes as dimensions: 33 > 32"
    )
