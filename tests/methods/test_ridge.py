"""ridge: its logits by scikit-learn's classifier and by stacked least squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.linear_model import RidgeClassifier
from torch.nn import functional as F

from baselines import ridge
from baselines.ridge import Options
from harness.core.protocols.method import MethodInputs

from .examples import C, D, assert_logits, inputs, samples

#: Fewer samples than features, and more.
SETS = [(4, True), (1, False), (2, False), (4, False)]


def whitened(given: MethodInputs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The support set and the test samples with the constant feature, and the labels."""
    z_ND, y_N = (t.numpy() for t in given.support())
    mean_D, std_D = np.mean(z_ND, axis=0), np.sqrt(np.var(z_ND, axis=0)) + 1e-5
    both = [np.column_stack([(x - mean_D) / std_D, np.full(len(x), 100.0)])
            for x in (z_ND, samples().numpy())]  # fmt: skip
    return both[0], both[1], y_N


def by_hand(given: MethodInputs, l2: float) -> torch.Tensor:
    """Ridge as least squares with rows sqrt(l2) I below the samples, class by class."""
    x_NE, x_ME, y_N = whitened(given)
    width = D + 1
    rows = np.concatenate([x_NE, np.sqrt(l2) * np.eye(width)])
    columns = []
    for c in range(C):
        targets = np.concatenate([[1.0 if y == c else -1.0 for y in y_N], np.zeros(width)])
        w_E = np.linalg.lstsq(rows, targets, rcond=None)[0]
        columns.append(x_ME @ w_E)
    return torch.from_numpy(np.array(columns).T)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("l2", [1024.0, 1.0, 2.0**20])
@pytest.mark.parametrize(("shots", "unbalanced"), SETS)
def test_logits_are_least_squares(
    shots: int, unbalanced: bool, l2: float, dtype: torch.dtype
) -> None:
    given = inputs(shots=shots, unbalanced=unbalanced, dtype=dtype)
    found_NC = ridge.logits(samples(dtype=dtype), ridge.fit(given, Options(l2=l2)))
    assert found_NC.dtype == dtype
    assert_logits(found_NC, by_hand(inputs(shots=shots, unbalanced=unbalanced), l2))


@pytest.mark.parametrize(("shots", "unbalanced"), SETS)
def test_logits_are_those_of_scikit_learn(shots: int, unbalanced: bool) -> None:
    given = inputs(shots=shots, unbalanced=unbalanced)
    x_NE, x_ME, y_N = whitened(given)
    model = RidgeClassifier(alpha=8.0, fit_intercept=False, solver="svd").fit(x_NE, y_N)
    found_NC = ridge.logits(samples(), ridge.fit(given, Options(l2=8)))
    assert_logits(found_NC, torch.from_numpy(model.decision_function(x_ME)))


def test_with_a_large_penalty_it_is_the_class_sums() -> None:
    """W becomes Y^T X / l2."""
    given, l2 = inputs(), 1e15
    x_NE, x_ME, y_N = whitened(given)
    y_NC = 2 * np.eye(C)[y_N] - 1
    expected_NC = x_ME @ (x_NE.T @ y_NC)
    found_NC = l2 * ridge.logits(samples(), ridge.fit(given, Options(l2=l2)))
    torch.testing.assert_close(found_NC, torch.from_numpy(expected_NC), rtol=1e-6, atol=1e-6)


def test_without_a_penalty_it_fits_few_samples() -> None:
    given = inputs(shots=2)
    z_ND, y_N = given.support()
    found_NC = ridge.logits(z_ND, ridge.fit(given, Options(l2=1e-6)))
    expected_NC = 2.0 * F.one_hot(y_N, C).double() - 1
    torch.testing.assert_close(found_NC, expected_NC, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shots", [2, 4])
def test_a_dimension_without_variance_has_no_part(shots: int) -> None:
    given = inputs(shots=shots)
    z_ND, _ = given.support()
    constant_ND = z_ND.clone()
    constant_ND[:, 0] = 3.0
    state = ridge.fit(replace(given, support_ND=constant_ND), Options())
    rest = replace(given, dim=D - 1, support_ND=z_ND[:, 1:])
    expected_NC = ridge.logits(samples()[:, 1:], ridge.fit(rest, Options()))
    assert_logits(ridge.logits(samples(), state), expected_NC)
    assert ridge.parameters(state) == C * (D + 1)


def test_a_penalty_is_above_0() -> None:
    with pytest.raises(ValidationError, match="l2"):
        Options(l2=0)
