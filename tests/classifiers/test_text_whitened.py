"""text_whitened, against matrix square roots of scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.linalg import fractional_matrix_power, pinv, sqrtm

from harness.classifiers import text_whitened
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import C, D, cell, facts, gram, inputs


def whitened(text_CD: torch.Tensor, shrinkage: float) -> torch.Tensor:
    given = ClassifierInputs(*text_CD.shape, torch.Generator(), text_CD)
    return text_whitened.build(given, text_whitened.Options(shrinkage=shrinkage))


def centred(text_CD: torch.Tensor) -> np.ndarray:
    t_CD = text_CD.double().numpy()
    t_CD = t_CD / np.linalg.norm(t_CD, axis=1, keepdims=True)
    return t_CD - t_CD.mean(axis=0)


@pytest.mark.parametrize("shrinkage", [0.1, 0.7, 1.0])
def test_it_is_the_inverse_root_of_the_shrunk_covariance(
    text_CD: torch.Tensor, shrinkage: float
) -> None:
    t_CD = centred(text_CD)
    cov_DD = np.cov(t_CD.T, bias=True)
    shrunk_DD = (1 - shrinkage) * cov_DD + shrinkage * np.trace(cov_DD) / D * np.eye(D)
    expected_CD = t_CD @ fractional_matrix_power(shrunk_DD, -0.5)
    np.testing.assert_allclose(whitened(text_CD, shrinkage), expected_CD, atol=1e-5)


def test_with_more_classes_than_dimensions_the_covariance_is_the_identity() -> None:
    text_CD = torch.randn(40, 6, generator=torch.Generator().manual_seed(0)) * torch.arange(1, 7)
    w_CD = whitened(text_CD, 0.0).double().numpy()
    np.testing.assert_allclose(np.cov(w_CD.T, bias=True), np.eye(6), atol=1e-5)
    t_CD = centred(text_CD)
    root_DD = sqrtm(np.cov(t_CD.T, bias=True)).real
    np.testing.assert_allclose(w_CD, t_CD @ pinv(root_DD), atol=1e-5)


def test_without_shrinkage_few_classes_are_equally_far_apart(text_CD: torch.Tensor) -> None:
    gram_CC = gram(whitened(text_CD, 0.0))
    expected_CC = torch.full((C, C), -1 / (C - 1)).fill_diagonal_(1)
    torch.testing.assert_close(gram_CC, expected_CC, atol=1e-5, rtol=0)


def test_full_shrinkage_leaves_the_centred_texts(text_CD: torch.Tensor) -> None:
    w_CD = whitened(text_CD, 1.0)
    torch.testing.assert_close(gram(w_CD), gram(torch.from_numpy(centred(text_CD)).float()))


def test_two_classes_are_opposite(text_CD: torch.Tensor) -> None:
    w_CD = whitened(text_CD[:2], 0.1)
    torch.testing.assert_close(w_CD[0], -w_CD[1])
    assert w_CD.norm() > 0


def test_the_default_and_what_is_refused(text_CD: torch.Tensor) -> None:
    given = inputs(text_CD)
    default = text_whitened.build(given, text_whitened.Options())
    torch.testing.assert_close(default, whitened(text_CD, 0.1))
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValidationError):
            text_whitened.Options(shrinkage=wrong)
    assert text_whitened.check(cell("text_whitened"), facts(n_classes=2)) is None
    one = text_whitened.check(cell("text_whitened"), facts(n_classes=1))
    assert one == "the covariance of texts needs at least 2 classes"
