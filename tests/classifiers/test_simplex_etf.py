"""simplex_etf: rows of length 1 and one cosine, in every number of classes that has room."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.classifiers import simplex_etf

from .inputs import F_DIM, PLAIN, C, D, cell, drawn, facts


@pytest.mark.parametrize(("n", "dim"), [(2, 1), (2, 32), (C, D), (33, 32)])
def test_the_gram_matrix_is_that_of_a_simplex(n: int, dim: int) -> None:
    """C / (C - 1) (I - 1 1^T / C), Papyan et al. 2020."""
    w_CD = simplex_etf.build(drawn(n, dim), PLAIN).double().numpy()
    expected_CC = n / (n - 1) * (np.eye(n) - 1 / n)
    np.testing.assert_allclose(w_CD @ w_CD.T, expected_CC, atol=1e-6)
    np.testing.assert_allclose(w_CD.sum(axis=0), 0, atol=1e-5)


def test_seeds_turn_it() -> None:
    one, same, other = (simplex_etf.build(drawn(seed=s), PLAIN) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


def test_every_direction_is_as_likely_as_its_opposite() -> None:
    """QR alone would give a first entry of one sign."""
    signs = [simplex_etf.build(drawn(2, 3, seed=s), PLAIN)[0, 0].sign().item() for s in range(40)]
    assert 10 < signs.count(1) < 30


def test_how_many_classes_have_room() -> None:
    assert simplex_etf.check(cell("simplex_etf"), facts(n_classes=D + 1)) is None
    reason = simplex_etf.check(cell("simplex_etf"), facts(n_classes=D + 2))
    assert reason == "a simplex of 34 classes needs 33 dimensions: there are 32"
    wide = cell("simplex_etf", on="backbone")
    assert simplex_etf.check(wide, facts(n_classes=F_DIM + 1)) is None
    one = simplex_etf.check(cell("simplex_etf"), facts(n_classes=1))
    assert one == "a simplex needs at least 2 classes"
