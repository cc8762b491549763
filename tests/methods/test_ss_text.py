"""SS-Text: its logits against the sums written out, and the problem that its rows solve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from baselines import ss_text
from harness.classifiers import ss_text as start
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions
from harness.core.protocols.method import MethodInputs
from harness.core.protocols.plugin import NoOptions

from .examples import SCALE, C, D, assert_logits, inputs, samples


def rows_by_hand(given: MethodInputs) -> np.ndarray:
    """Sample by sample, in numpy."""
    z_ND, y_N = (t.numpy() for t in given.support())
    rows = []
    for c, t_D in enumerate(given.classifier().numpy()):
        sum_D = np.zeros(D)
        for z_D, y in zip(z_ND, y_N, strict=True):
            sum_D += (y == c) * z_D / np.linalg.norm(z_D)
        penalty = max(1 / np.sum(y_N == c), 0.001)
        rows.append(t_D + SCALE * sum_D / (len(y_N) * penalty))
    return np.array(rows)


def by_hand(given: MethodInputs) -> torch.Tensor:
    w_CD = rows_by_hand(given)
    cosines = [
        [w_D @ z_D / np.linalg.norm(w_D) / np.linalg.norm(z_D) for w_D in w_CD]
        for z_D in samples().numpy()
    ]
    return torch.from_numpy(SCALE * np.array(cosines))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("shots", "unbalanced"), [(4, False), (1, False), (1, True)])
def test_logits_are_the_sums(shots: int, unbalanced: bool, dtype: torch.dtype) -> None:
    state = ss_text.fit(inputs(shots=shots, unbalanced=unbalanced, dtype=dtype), NoOptions())
    found_NC = ss_text.logits(samples(dtype=dtype), state)
    assert found_NC.dtype == dtype
    assert_logits(found_NC, by_hand(inputs(shots=shots, unbalanced=unbalanced)))


def test_its_rows_minimise_the_penalised_loss() -> None:
    """-(s / N) sum of <w_y, f> + sum of lambda_c |w_c - t_c|^2 / 2, with lambda_c = 1 / n_c."""
    given = inputs(unbalanced=True)
    z_ND, y_N = given.support()
    w_CD = torch.from_numpy(rows_by_hand(given)).requires_grad_()
    fit = (w_CD[y_N] * F.normalize(z_ND, dim=1)).sum(dim=1).mean()
    penalty_C = 1 / torch.bincount(y_N, minlength=C).double()
    distance_C = (w_CD - given.classifier()).square().sum(dim=1)
    (-SCALE * fit + (penalty_C * distance_C).sum() / 2).backward()
    assert w_CD.grad is not None
    assert w_CD.grad.abs().max() < 1e-14


def test_without_a_scale_it_has_the_rows_of_the_classifier() -> None:
    """The scale multiplies the logits as well, so it is taken out of them."""
    nearly = replace(inputs(), logit_scale=1e-9)
    f_ND = F.normalize(samples(), dim=1)
    found_NC = ss_text.logits(samples(), ss_text.fit(nearly, NoOptions())) / 1e-9
    torch.testing.assert_close(found_NC, f_ND @ inputs().classifier().T, atol=1e-7, rtol=0)


def test_its_weight_gives_its_logits() -> None:
    state = ss_text.fit(inputs(), NoOptions())
    expected_NC = F.normalize(samples(), dim=1) @ ss_text.weight(state).T
    assert_logits(ss_text.logits(samples(), state), expected_NC)
    assert ss_text.parameters(state) == C * D


def test_the_classifier_of_this_name_has_its_directions() -> None:
    given = inputs(unbalanced=True)
    generator = torch.Generator()
    same = ClassifierInputs(C, D, generator, given.text(), *given.support(), logit_scale=SCALE)
    w_CD = F.normalize(start.build(same, ClassifierOptions()), dim=1)
    torch.testing.assert_close(SCALE * w_CD, ss_text.fit(given, NoOptions()).w_CD)
