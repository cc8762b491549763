"""ProKeR: its logits by the formula and by scikit-learn's kernel ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.kernel_ridge import KernelRidge
from torch.nn import functional as F

from baselines import proker
from baselines.proker import Options
from harness.core.protocols.method import MethodInputs

from .examples import SCALE, VIEWS, C, assert_logits, inputs, samples


def rows(given: MethodInputs) -> tuple[np.ndarray, np.ndarray]:
    """Every view of every picture with length 1, and one-hot labels."""
    z_NVD, y_N = (t.numpy() for t in given.views())
    f_MD = np.array([z_D / np.linalg.norm(z_D) for z_VD in z_NVD for z_D in z_VD])
    return f_MD, np.array([np.eye(C)[y] for y in y_N for _ in range(VIEWS)])


def by_hand(given: MethodInputs, beta: float, lam: float) -> torch.Tensor:
    """Pair by pair, with an inverse."""
    f_MD, y_MC = rows(given)
    t_CD = given.classifier().numpy()

    def kernel(f_D: np.ndarray, g_D: np.ndarray) -> float:
        return float(np.exp(-beta * (1 - f_D @ g_D)))

    gram_MM = np.array([[kernel(f_D, g_D) for g_D in f_MD] for f_D in f_MD])
    a_MC = np.linalg.inv(gram_MM / lam + np.eye(len(f_MD))) @ (y_MC - f_MD @ t_CD.T)
    logits = []
    for z_D in samples().numpy():
        f_D = z_D / np.linalg.norm(z_D)
        correction_C = sum(kernel(f_D, g_D) * a_C for g_D, a_C in zip(f_MD, a_MC, strict=True))
        logits.append(t_CD @ f_D + correction_C)
    return torch.from_numpy(SCALE * np.array(logits))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("beta", "lam"), [(1.5, 0.05), (3.0, 1.0), (0.5, 0.01)])
@pytest.mark.parametrize(("shots", "unbalanced"), [(4, False), (1, False), (1, True)])
def test_logits_are_the_formula(
    shots: int, unbalanced: bool, beta: float, lam: float, dtype: torch.dtype
) -> None:
    given = inputs(shots=shots, unbalanced=unbalanced, dtype=dtype)
    found_NC = proker.logits(samples(dtype=dtype), proker.fit(given, Options(beta=beta, lam=lam)))
    assert found_NC.dtype == dtype
    assert_logits(found_NC, by_hand(inputs(shots=shots, unbalanced=unbalanced), beta, lam))


def test_the_correction_is_lam_times_a_kernel_ridge_regression() -> None:
    """Of rows of length 1, exp(-beta (1 - f g)) = exp(-beta / 2 |f - g|^2)."""
    given, beta, lam = inputs(unbalanced=True), 2.0, 0.3
    f_MD, y_MC = rows(given)
    t_CD = given.classifier().numpy()
    model = KernelRidge(alpha=lam, kernel="rbf", gamma=beta / 2).fit(f_MD, y_MC - f_MD @ t_CD.T)
    f_ND = F.normalize(samples(), dim=1).numpy()
    expected_NC = SCALE * (f_ND @ t_CD.T + lam * model.predict(f_ND))
    state = proker.fit(given, Options(beta=beta, lam=lam))
    assert_logits(proker.logits(samples(), state), torch.from_numpy(expected_NC))


def test_without_a_penalty_it_is_zero_shot() -> None:
    """It is lam times a regression that fits the support set."""
    state = proker.fit(inputs(), Options(lam=1e-12))
    zero_shot_NC = SCALE * F.normalize(samples(), dim=1) @ inputs().classifier().T
    torch.testing.assert_close(proker.logits(samples(), state), zero_shot_NC, atol=1e-8, rtol=0)


def test_with_a_large_penalty_it_adds_the_kernel_of_every_row() -> None:
    given, beta = inputs(), 2.0
    f_MD, y_MC = (torch.from_numpy(part) for part in rows(given))
    f_ND = F.normalize(samples(), dim=1)
    kernel_NM = torch.exp(-beta * (1 - f_ND @ f_MD.T))
    rest_MC = y_MC - f_MD @ given.classifier().T
    expected_NC = SCALE * (f_ND @ given.classifier().T + kernel_NM @ rest_MC)
    state = proker.fit(given, Options(beta=beta, lam=1e12))
    torch.testing.assert_close(proker.logits(samples(), state), expected_NC)


@pytest.mark.parametrize(
    ("shots", "expected"),
    [(1, (3, 0.05)), (3, (2.6, 0.05)), (5, (1.5, 0.05)), (16, (1.7, 0.1)), (99, (1.7, 0.1))],
)
def test_values_without_validation_go_by_the_shots(
    shots: int, expected: tuple[float, float]
) -> None:
    """Views are no shots."""
    state = proker.fit(inputs(shots=shots), Options())
    assert (state.beta, state.lam) == expected
    assert proker.facts(state) == {"beta": expected[0], "lam": expected[1]}
    assert proker.parameters(state) == shots * C * VIEWS * C


def test_one_value_may_be_given() -> None:
    state = proker.fit(inputs(shots=1), Options(lam=0.4))
    assert (state.beta, state.lam) == (3, 0.4)


def test_fewer_than_one_sample_a_class_count_as_one_shot() -> None:
    assert proker.validation_free(0.5) == proker.VALIDATION_FREE[1]


@pytest.mark.parametrize("values", [{"beta": -1}, {"lam": 0}])
def test_values_that_have_no_kernel_system_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Options(**values)
