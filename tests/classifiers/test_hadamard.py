"""hadamard: rows of Sylvester's matrix, and what is left of orthogonality when it is cropped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard as sylvester

from harness.classifiers import hadamard

from .inputs import F_DIM, PLAIN, C, D, cell, drawn, facts


@pytest.mark.parametrize(("n", "dim"), [(1, 1), (C, D), (D, D)])
def test_rows_of_a_power_of_two_are_orthonormal(n: int, dim: int) -> None:
    w_CD = hadamard.build(drawn(n, dim), PLAIN)
    torch.testing.assert_close(w_CD @ w_CD.T, torch.eye(n))
    torch.testing.assert_close(w_CD.abs(), torch.full((n, dim), dim**-0.5))


def test_rows_are_those_of_the_matrix_up_to_the_drawn_signs() -> None:
    w_CD = hadamard.build(drawn(), PLAIN).numpy() * D**0.5
    products_CD = w_CD * w_CD[0]  # signs of the columns cancel
    stream = torch.Generator().manual_seed(0)
    rows_C = torch.randperm(D, generator=stream)[:C].numpy()
    columns_D = torch.randperm(D, generator=stream).numpy()
    expected_CD = sylvester(D)[rows_C][:, columns_D]
    np.testing.assert_array_equal(products_CD.round(), expected_CD * expected_CD[0])


def test_cropped_rows_are_nearly_orthogonal() -> None:
    """(M - D) / D at most, and the standard deviation of the docstring."""
    n, dim, order = 100, 384, 512
    w_CD = hadamard.build(drawn(n, dim), PLAIN).double()
    cosines = (w_CD @ w_CD.T)[torch.triu(torch.ones(n, n), diagonal=1).bool()]
    assert cosines.abs().max() <= (order - dim) / dim
    expected = ((order - dim) / (dim * (order - 1))) ** 0.5
    assert abs(cosines.std().item() / expected - 1) < 0.1
    torch.testing.assert_close(w_CD.norm(dim=1), torch.ones(n, dtype=torch.float64))


@pytest.mark.parametrize("dim", [3, 5, 6])
def test_no_two_rows_are_equal_or_opposite(dim: int) -> None:
    w_CD = hadamard.build(drawn(dim, dim), PLAIN)
    cosines_CC = w_CD @ w_CD.T - 2 * torch.eye(dim)
    assert cosines_CC.abs().max() <= 1 + 1e-6  # the diagonal is -1
    assert (cosines_CC.fill_diagonal_(0).abs() < 1 - 1e-6).all()


def test_seeds_draw_other_rows() -> None:
    one, same, other = (hadamard.build(drawn(seed=s), PLAIN) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_more_classes_than_dimensions() -> None:
    assert hadamard.check(cell("hadamard"), facts(n_classes=D)) is None
    reason = hadamard.check(cell("hadamard"), facts(n_classes=D + 1))
    assert reason == "a Hadamard classifier needs at most as many classes as dimensions: 33 > 32"
    assert hadamard.check(cell("hadamard", on="backbone"), facts(n_classes=F_DIM)) is None
