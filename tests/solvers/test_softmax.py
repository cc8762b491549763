"""The objective of logistic regression, and the Hessians that its search begins with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from harness.solvers import lbfgs
from harness.solvers._softmax import FLAT, FlatHessian, MeanHessian, Softmax, parts
from solvers.heads import features, linear_problem

CPU = torch.device("cpu")


def objective(
    z_ND: torch.Tensor, y_N: torch.Tensor, l2: float, *, bias: bool = True, block: int = 50
) -> Softmax:
    def blocks(dtype: torch.dtype) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for start in range(0, len(z_ND), block):
            yield z_ND[start : start + block].to(dtype), y_N[start : start + block]

    n_classes = int(y_N.max()) + 1
    return Softmax(blocks, len(z_ND), n_classes, z_ND.shape[1], l2, bias, torch.float64)


@pytest.mark.parametrize("bias", [True, False])
def test_at_zero_it_is_what_it_is_elsewhere(bias: bool) -> None:
    found = objective(*features(), 1e-2, bias=bias)
    value, gradient = found.at_zero(CPU)
    other_value, other_gradient = found(found.start(CPU))
    assert value == pytest.approx(other_value, rel=1e-12)
    torch.testing.assert_close(gradient, other_gradient, rtol=0, atol=1e-14)


def largest_curvature(z_ND: torch.Tensor, n_classes: int) -> float:
    """Of the samples at W = 0, where every class has the probability 1/C."""
    moments_DD = z_ND.double().T @ z_ND.double() / len(z_ND)
    share = (1 - 1 / n_classes) / n_classes
    return share * float(torch.linalg.eigvalsh(moments_DD)[-1])


def test_a_hessian_is_flat_where_the_penalty_curves_enough() -> None:
    z_ND, y_N = features(200, 30)
    most = largest_curvature(z_ND, int(y_N.max()) + 1)
    found = FlatHessian.at_zero(objective(z_ND, y_N, 1.2 * most / FLAT), CPU)
    assert found is not None
    assert FlatHessian.at_zero(objective(z_ND, y_N, most / FLAT / 1.5), CPU) is None
    l2 = 1.2 * most / FLAT
    assert l2 < 1 / found.of_w < l2 + most, "between the least and the largest curvature"
    of_w_CD, of_b_C = parts(found(torch.ones(6 * 31, dtype=torch.float64)), 6)
    assert torch.equal(of_w_CD, torch.full((6, 30), found.of_w, dtype=torch.float64))
    assert torch.equal(of_b_C, torch.full((6,), found.of_b, dtype=torch.float64))


def test_samples_that_are_all_zero_are_flat() -> None:
    z_ND, y_N = torch.zeros(12, 5), torch.arange(12) % 3
    found = FlatHessian.at_zero(objective(z_ND, y_N, 1e-3), CPU)
    assert found is not None
    assert found.of_w == pytest.approx(1e3)


@pytest.mark.parametrize(("l2", "flat"), [(1.0, True), (1e-6, False)])
def test_a_flat_problem_is_solved_without_the_curvature_of_its_features(
    monkeypatch: pytest.MonkeyPatch, l2: float, flat: bool
) -> None:
    counted: list[Softmax] = []
    at = MeanHessian.at

    def counting(of: Softmax, x: torch.Tensor) -> MeanHessian:
        counted.append(of)
        return at(of, x)

    monkeypatch.setattr(MeanHessian, "at", counting)
    z_ND, y_N = features(200, 30)
    (solution,) = lbfgs.solve([linear_problem(z_ND, y_N, l2=l2)])
    assert solution.warnings == ()
    assert (not counted) == flat
    assert np.isfinite(solution.diagnostics["objective"])
