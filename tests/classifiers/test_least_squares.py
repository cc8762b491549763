"""least_squares, against ridge regression of scikit-learn, in both forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.linear_model import Ridge
from torch.nn import functional as F

from harness.classifiers import least_squares

from .inputs import C, D, inputs, support_of


@pytest.mark.parametrize("l2", [1e-3, 0.01, 1.0])
@pytest.mark.parametrize("n", [60, 20], ids=["primal", "dual"])
def test_it_is_that_of_scikit_learn(text_CD: torch.Tensor, l2: float, n: int) -> None:
    z_ND, y_N = (each[:n] for each in inputs(text_CD).support())
    w_CD = least_squares.build(support_of(z_ND, y_N, C), least_squares.Options(l2=l2))
    oracle = Ridge(alpha=l2 * n, fit_intercept=False)
    targets_NC = F.one_hot(y_N, C).double().numpy()
    oracle.fit(F.normalize(z_ND.double(), dim=-1).numpy(), targets_NC)
    np.testing.assert_allclose(w_CD, oracle.coef_, atol=1e-5)


def test_as_many_samples_as_dimensions(text_CD: torch.Tensor) -> None:
    """Both forms meet where they change."""
    z_ND, y_N = (each[:D] for each in inputs(text_CD).support())
    z_ND = F.normalize(z_ND.double(), dim=-1)
    w_CD = least_squares.build(support_of(z_ND.float(), y_N, C), least_squares.Options())
    inverse_NN = torch.linalg.inv(z_ND @ z_ND.T + D * 0.01 * torch.eye(D, dtype=torch.float64))
    expected_CD = F.one_hot(y_N, C).double().T @ inverse_NN @ z_ND
    torch.testing.assert_close(w_CD, expected_CD.float(), atol=1e-5, rtol=1e-4)


def test_one_class_of_one_sample() -> None:
    """W = f / (1 + l2), and a class without samples has zeros."""
    z_ND = torch.tensor([[3.0, 4.0]])
    w_CD = least_squares.build(
        support_of(z_ND, torch.tensor([0]), 2), least_squares.Options(l2=0.25)
    )
    torch.testing.assert_close(w_CD, torch.tensor([[0.48, 0.64], [0.0, 0.0]]))


@pytest.mark.parametrize("l2", [0, -1, float("inf")])
def test_options_that_are_refused(l2: float) -> None:
    with pytest.raises(ValidationError):
        least_squares.Options(l2=l2)
