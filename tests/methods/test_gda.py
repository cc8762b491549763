"""GDA: its logits by numpy's covariance and pseudo-inverse, and by scikit-learn."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch.nn import functional as F

from baselines import gda
from baselines.gda import Options
from harness.classifiers import gda as start
from harness.core.cells import Cell, Choice
from harness.core.errors import CellError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.classifier import ClassifierInputs
from harness.core.protocols.method import MethodInputs

from .examples import SCALE, VIEWS, C, D, assert_logits, inputs, samples

FACTS = CellFacts(C, 1, EncoderFacts("w", "b", D, D, 224, SCALE, text_dim=D))


def rows(given: MethodInputs) -> tuple[np.ndarray, np.ndarray]:
    """Every view of every picture with length 1, and its class."""
    z_NVD, y_N = (t.numpy() for t in given.views())
    pairs = [
        (z_D / np.linalg.norm(z_D), y) for z_VD, y in zip(z_NVD, y_N, strict=True) for z_D in z_VD
    ]
    return np.array([f_D for f_D, _ in pairs]), np.array([y for _, y in pairs])


def by_hand(given: MethodInputs, alpha: float) -> torch.Tensor:
    """As the formula has it: np.cov, pinv, and a loop over samples and classes."""
    f_MD, y_M = rows(given)
    means_CD = [f_MD[y_M == c].mean(axis=0) for c in range(C)]
    centred_MD = np.concatenate([f_MD[y_M == c] - means_CD[c] for c in range(C)])
    cov_DD = np.cov(centred_MD, rowvar=False)
    omega_DD = D * np.linalg.pinv((len(f_MD) - 1) * cov_DD + np.trace(cov_DD) * np.eye(D))
    logits = []
    for z_D in samples().numpy():
        f_D = z_D / np.linalg.norm(z_D)
        logits.append([
            SCALE * f_D @ t_D
            + alpha * (f_D @ omega_DD @ m_D - math.log(C) - m_D @ omega_DD @ m_D / 2)
            for t_D, m_D in zip(given.classifier().numpy(), means_CD, strict=True)
        ])  # fmt: skip
    return torch.from_numpy(np.array(logits))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("alpha", [1.0, 1e-4, 100.0])
@pytest.mark.parametrize(("shots", "unbalanced"), [(4, False), (1, False), (1, True)])
def test_logits_are_the_formula(
    shots: int, unbalanced: bool, alpha: float, dtype: torch.dtype
) -> None:
    given = inputs(shots=shots, unbalanced=unbalanced, dtype=dtype)
    state = gda.fit(given, Options(alpha=alpha))
    found_NC = gda.logits(samples(dtype=dtype), state)
    assert found_NC.dtype == dtype
    assert_logits(found_NC, by_hand(inputs(shots=shots, unbalanced=unbalanced), alpha))


def test_with_equal_classes_it_is_a_shrunk_discriminant() -> None:
    """scikit-learn's, with shrinkage a = D / (D + n - 1) and coefficients n / (D (1 - a)) times."""
    given = inputs()
    f_MD, y_M = rows(given)
    n = len(f_MD)
    a = D / (D + n - 1)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=a, priors=np.full(C, 1 / C))
    model.fit(f_MD, y_M)
    factor = D * (1 - a) / n
    f_ND = F.normalize(samples(), dim=1)
    linear_NC = f_ND.numpy() @ (factor * model.coef_.T) + factor * (model.intercept_ + math.log(C))
    expected_NC = SCALE * f_ND @ given.classifier().T + 3 * (
        torch.from_numpy(linear_NC) - math.log(C)
    )
    assert_logits(gda.logits(samples(), gda.fit(given, Options(alpha=3))), expected_NC)


def test_without_the_discriminant_it_is_zero_shot() -> None:
    state = gda.fit(inputs(), Options(alpha=0))
    expected_NC = SCALE * F.normalize(samples(), dim=1) @ inputs().classifier().T
    assert_logits(gda.logits(samples(), state), expected_NC)
    assert gda.parameters(state) == C * D + C


def test_the_classifier_of_this_name_is_its_w() -> None:
    given = inputs(unbalanced=True)
    z_NVD, y_N = given.views()
    pooled = ClassifierInputs(
        C,
        D,
        torch.Generator(),
        support_ND=z_NVD.flatten(0, 1),
        labels_N=y_N.repeat_interleave(VIEWS),
    )
    w_CD = start.build(pooled, start.Options()).double()
    text_CD = SCALE * given.classifier()
    torch.testing.assert_close(
        gda.fit(given, Options()).w_CD - text_CD,
        w_CD,
        rtol=1e-5,
        atol=1e-5 * w_CD.abs().max().item(),
    )


def one_shot(**views: Any) -> Cell:
    cell = Cell(Choice("emoji"), "few_shot", Choice("x"), shots=1, method=Choice("gda"))
    values = {"n": 3, "scale": (0.5, 1.0), "flip": False} | views
    return replace(cell, support_views=Choice("mean", tuple(values.items()))) if views else cell


def test_one_shot_needs_views() -> None:
    reason = gda.check(one_shot(), FACTS)
    assert reason is not None
    assert "support_views" in reason
    assert gda.check(one_shot(n=1), FACTS) == reason
    assert gda.check(one_shot(n=2), FACTS) is None
    assert gda.check(replace(one_shot(), shots=2), FACTS) is None
    assert gda.check(replace(one_shot(), shots=None, regime="full"), FACTS) is None


def test_equal_rows_are_refused() -> None:
    z_NVD, y_N = inputs(shots=1).views()
    equal = replace(inputs(shots=1), views_NVD=z_NVD[:, :1].repeat(1, VIEWS, 1))
    with pytest.raises(CellError, match="no covariance within classes"):
        gda.fit(equal, Options())
    alone = replace(inputs(shots=1), views_NVD=z_NVD[:, :1], view_labels_N=y_N)
    with pytest.raises(CellError, match="no covariance within classes"):
        gda.fit(alone, Options())


def test_a_class_without_samples_is_refused() -> None:
    _, y_N = inputs().views()
    with pytest.raises(CellError, match="class number 2"):
        gda.fit(replace(inputs(), view_labels_N=torch.where(y_N == 2, 1, y_N)), Options())


def test_alpha_is_not_negative() -> None:
    with pytest.raises(ValidationError, match="alpha"):
        Options(alpha=-1)
