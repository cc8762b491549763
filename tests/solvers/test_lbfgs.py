"""Logistic regression to its optimum, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from harness.core.protocols.solver import Watch
from harness.solvers import _kept, _linear, lbfgs
from solvers.heads import features, linear_problem, solved


def reference(
    z_ND: torch.Tensor, y_N: torch.Tensor, l2: float, *, bias: bool = True
) -> LogisticRegression:
    model = LogisticRegression(
        C=1 / (len(z_ND) * l2), fit_intercept=bias, tol=1e-10, max_iter=10_000
    )
    return model.fit(z_ND.double().numpy(), y_N.numpy())


def objective(
    z_ND: torch.Tensor, y_N: torch.Tensor, w_CD: torch.Tensor, b_C: torch.Tensor, l2: float
) -> float:
    logits_NC = z_ND.double() @ w_CD.double().T + b_C.double()
    loss = torch.nn.functional.cross_entropy(logits_NC, y_N)
    return float(loss + l2 / 2 * w_CD.double().square().sum())


@pytest.mark.parametrize(("n", "width"), [(120, 20), (40, 60)])
@pytest.mark.parametrize("l2", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_scikit_learns_logistic_regression(n: int, width: int, l2: float, bias: bool) -> None:
    z_ND, y_N = features(n, width)
    problem = linear_problem(z_ND, y_N, bias=bias, start=5.0, l2=l2)
    (solution,) = lbfgs.solve([problem])
    w_CD, b_C = solved(problem)
    exact = reference(z_ND, y_N, l2, bias=bias)
    best = objective(
        z_ND, y_N, torch.tensor(exact.coef_), torch.tensor(exact.intercept_).expand(6), l2
    )
    found = objective(z_ND, y_N, w_CD, b_C, l2)
    assert best <= found * (1 + 1e-9)
    assert found <= best * (1 + lbfgs.GAP)
    assert solution.diagnostics["objective"] == pytest.approx(found, rel=1e-4)
    other_ND, _ = features(400, width, seed=1)
    mine_M = (other_ND @ w_CD.T + b_C).argmax(dim=1).numpy()
    assert np.mean(mine_M != exact.predict(other_ND.double().numpy())) <= 0.02
    if not bias:
        assert not b_C.any()


def test_the_gradient_norm_is_that_of_the_objective_at_the_solution() -> None:
    z_ND, y_N = features()
    problem = linear_problem(z_ND, y_N, l2=1e-2)
    (solution,) = lbfgs.solve([problem])
    w_CD, b_C = (t.double().requires_grad_() for t in solved(problem))
    loss = torch.nn.functional.cross_entropy(z_ND.double() @ w_CD.T + b_C, y_N)
    (loss + 1e-2 / 2 * w_CD.square().sum()).backward()
    assert w_CD.grad is not None
    assert b_C.grad is not None
    # W and b are stored in float32, and b is that of samples that were not centred.
    mean_D = z_ND.double().mean(dim=0)
    gradient_CD = w_CD.grad - b_C.grad[:, None] * mean_D
    norm = float((gradient_CD.square().sum() + b_C.grad.square().sum()).sqrt())
    assert solution.diagnostics["gradient_norm"] == pytest.approx(norm, rel=0.05, abs=2e-6)


def test_the_start_plays_no_part() -> None:
    z_ND, y_N = features()
    problems = [linear_problem(z_ND, y_N, start=start, l2=1e-3) for start in (0.0, 1.0, 100.0)]
    lbfgs.solve(problems)
    first, *others = (solved(problem) for problem in problems)
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_separable_classes_at_a_tiny_strength_are_solved_in_float64() -> None:
    z_ND, y_N = features(60, 80)
    (solution,) = lbfgs.solve([linear_problem(10 * z_ND, y_N, l2=1e-6)])
    assert solution.diagnostics["precision"] == "float64"
    assert solution.warnings == ()


def test_a_search_that_stops_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    z_ND, y_N = features()
    monkeypatch.setattr(lbfgs, "MOST", 2)
    (solution,) = lbfgs.solve([linear_problem(z_ND, y_N, l2=1e-6)])
    assert "stopped before the optimum" in solution.warnings[0]


@pytest.mark.parametrize("bias", [True, False])
def test_samples_are_read_by_blocks(monkeypatch: pytest.MonkeyPatch, bias: bool) -> None:
    z_ND, y_N = features()
    whole, parts = (linear_problem(z_ND, y_N, bias=bias, l2=1e-2) for _ in range(2))
    monkeypatch.setattr(lbfgs, "GAP", 1e-9)
    lbfgs.solve([whole])
    for module in (_linear, lbfgs):
        monkeypatch.setattr(module, "BLOCK", 50)
    lbfgs.solve([parts])
    for a, b in zip(solved(whole), solved(parts), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_logits_that_are_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    z_ND, y_N = features()
    kept, not_kept = (linear_problem(z_ND, y_N, l2=1e-2) for _ in range(2))
    monkeypatch.setattr(lbfgs, "GAP", 1e-9)
    (with_logits,) = lbfgs.solve([kept])
    monkeypatch.setattr(_kept, "MOST_KEPT", 0)
    (without,) = lbfgs.solve([not_kept])
    assert with_logits.steps < without.steps
    for a, b in zip(solved(kept), solved(not_kept), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-2, 1.0])
@pytest.mark.parametrize("l2", [1e-3, 1e-6])
def test_features_of_any_scale_and_classes_without_samples(
    monkeypatch: pytest.MonkeyPatch, scale: float, l2: float
) -> None:
    z_ND, y_N = features(200, 12)
    z_ND = scale * z_ND * torch.logspace(-2, 2, 12)
    y_N = 2 * y_N  # classes 1, 3, ... have no sample
    problem = linear_problem(z_ND, y_N, l2=l2)
    (solution,) = lbfgs.solve([problem])
    assert solution.warnings == ()
    w_CD, b_C = solved(problem)
    monkeypatch.setattr(lbfgs, "GAP", 1e-6)
    others = linear_problem(z_ND, y_N // 2, l2=l2)  # without those classes
    assert lbfgs.solve([others])[0].warnings == ()
    best = objective(z_ND, y_N // 2, *solved(others), l2)
    monkeypatch.undo()
    assert objective(z_ND, y_N, w_CD, b_C, l2) <= best * (1 + 2 * lbfgs.GAP)


def test_it_stops_when_it_is_asked_to() -> None:
    z_ND, y_N = features()
    problem = linear_problem(z_ND, y_N, l2=1e-6)
    object.__setattr__(problem, "watch", Watch(lambda: True))
    with pytest.raises(KeyboardInterrupt):
        lbfgs.solve([problem])
