"""The closed form of a linear head, against scikit-learn's."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from harness.solvers import _linear, ridge
from solvers.heads import features, linear_problem, solved


@pytest.mark.parametrize(("n", "width"), [(120, 20), (40, 60)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_scikit_learns_ridge_classifier(n: int, width: int, bias: bool) -> None:
    z_ND, y_N = features(n, width)
    problem = linear_problem(z_ND, y_N, bias=bias, start=3.0, l2=0.05)
    (solution,) = ridge.solve([problem])
    w_CD, b_C = solved(problem)
    exact = RidgeClassifier(alpha=n * 0.05, fit_intercept=bias).fit(z_ND.double().numpy(), y_N)
    torch.testing.assert_close(w_CD.double(), torch.tensor(exact.coef_), rtol=1e-5, atol=1e-6)
    intercept_C = torch.tensor(exact.intercept_).expand(6) if bias else torch.zeros(6).double()
    torch.testing.assert_close(b_C.double(), intercept_C.double(), rtol=1e-4, atol=1e-5)
    assert solution.diagnostics["gradient_norm"] < 1e-10


def test_samples_are_read_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    z_ND, y_N = features()
    whole, parts = (linear_problem(z_ND, y_N, l2=0.1) for _ in range(2))
    ridge.solve([whole])
    monkeypatch.setattr(_linear, "BLOCK", 50)
    ridge.solve([parts])
    for a, b in zip(solved(whole), solved(parts), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
