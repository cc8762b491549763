"""lda, against scikit-learn and against the formula that few-shot work uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.covariance import shrunk_covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.nn import functional as F

from harness.classifiers import lda
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import C, D, K, cell, facts, inputs, support_of


@pytest.mark.parametrize("shrinkage", [0.1, 0.5, None])
def test_it_is_that_of_scikit_learn(text_CD: torch.Tensor, shrinkage: float | None) -> None:
    given = inputs(text_CD)
    w_CD = lda.build(given, lda.Options(shrinkage=shrinkage))
    z_ND, y_N = given.support()
    used = D / (D + C * K - 1) if shrinkage is None else shrinkage
    oracle = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=used)
    oracle.fit(F.normalize(z_ND, dim=-1).double().numpy(), y_N.numpy())
    np.testing.assert_allclose(w_CD.numpy(), oracle.coef_, rtol=1e-3, atol=1e-4)


def test_the_default_shrinkage_is_the_inverse_that_few_shot_work_uses(
    text_CD: torch.Tensor,
) -> None:
    given = inputs(text_CD)
    z_ND, y_N = given.support()
    z_ND = F.normalize(z_ND, dim=-1).double()
    mean_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(C)])
    n = C * K
    centred_ND = z_ND - mean_CD[y_N]
    cov_DD = centred_ND.T @ centred_ND / n
    eye_DD = torch.eye(D, dtype=torch.float64)
    inverse_DD = D * torch.linalg.pinv((n - 1) * cov_DD + cov_DD.trace() * eye_DD)
    expected_CD = F.normalize(mean_CD @ inverse_DD, dim=-1).float()
    w_CD = F.normalize(lda.build(given, lda.Options()), dim=-1)
    torch.testing.assert_close(w_CD, expected_CD, atol=1e-5, rtol=1e-4)


def test_per_class_looks_at_the_first_samples_only(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    z_ND, y_N = given.support()
    first = torch.cat([torch.arange(c * K, c * K + 2) for c in range(C)])
    small = ClassifierInputs(C, D, given.generator, None, z_ND[first], y_N[first])
    expected_CD = lda.build(small, lda.Options())
    torch.testing.assert_close(lda.build(given, lda.Options(per_class=2)), expected_CD)


def test_it_needs_two_samples_of_a_class() -> None:
    assert lda.check(cell("lda"), facts()) is None
    few = "the covariance within classes needs 2 samples of a class; covariance: total needs 1"
    assert lda.check(cell("lda", shots=1), facts(per_class=1)) == few
    assert lda.check(cell("lda", "full", None), facts(per_class=1)) == few


@pytest.mark.parametrize(
    "options", [{"shrinkage": 1.5}, {"shrinkage": -0.1}, {"per_class": 1}, {"covariance": "all"}]
)
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        lda.Options(**options)


def test_the_total_covariance(text_CD: torch.Tensor) -> None:
    """scikit-learn's shrunk covariance of all samples; at one shot too."""
    z_ND, y_N = inputs(text_CD).support()
    one_each = torch.arange(0, C * K, K)
    for kept in (torch.arange(C * K), one_each):
        given = support_of(z_ND[kept], y_N[kept], C)
        w_CD = lda.build(given, lda.Options(covariance="total", shrinkage=0.3))
        unit_ND = F.normalize(z_ND[kept], dim=-1).double().numpy()
        cov_DD = shrunk_covariance(np.cov(unit_ND.T, bias=True), shrinkage=0.3)
        mean_CD = np.stack([unit_ND[y_N[kept].numpy() == c].mean(axis=0) for c in range(C)])
        expected_CD = np.linalg.solve(cov_DD, mean_CD.T).T
        np.testing.assert_allclose(w_CD, expected_CD, rtol=1e-3, atol=1e-4)


def test_one_shot_is_feasible_with_the_total_covariance() -> None:
    total = {"covariance": "total"}
    assert lda.check(cell("lda", shots=1, **total), facts(per_class=1)) is None
    assert lda.check(cell("lda", "full", None, **total), facts(per_class=1)) is None
    assert lda.check(cell("lda", shots=1, covariance="within"), facts(per_class=1)) is not None
