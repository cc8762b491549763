"""What is told of a trained head, against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from solvers.heads import features, linear_problem

from harness.solvers import lbfgs
from harness.training import head_diagnostics as module
from harness.training.head_diagnostics import gradient_norm, head_diagnostics
from harness.training.probe import ProbeModel


def solved() -> tuple[ProbeModel, torch.Tensor, torch.Tensor]:
    z_ND, y_N = features()
    problem = linear_problem(z_ND, y_N, l2=0.1)
    lbfgs.solve([problem])
    assert isinstance(problem.model, ProbeModel)
    return problem.model, z_ND, y_N


def test_distance_angle_and_margin() -> None:
    model, z_ND, y_N = solved()
    w_CD, b_C = (t.double().numpy() for t in model.head.state().values())
    z, y = z_ND.double().numpy(), y_N.numpy()
    start_CD = torch.ones(w_CD.shape)
    found = head_diagnostics(model, y_N, start_CD)
    assert found["distance_from_start"] == pytest.approx(np.linalg.norm(w_CD - 1))
    relative = np.linalg.norm(w_CD - 1) / math.sqrt(w_CD.size)
    assert found["relative_distance_from_start"] == pytest.approx(relative)
    means = np.stack([z[y == c].mean(axis=0) for c in range(6)])
    lengths = np.linalg.norm(w_CD, axis=1) * np.linalg.norm(means, axis=1)
    angles = np.degrees(np.arccos((w_CD * means).sum(axis=1) / lengths))
    assert found["row_to_class_mean_degrees"] == pytest.approx(angles.mean(), rel=1e-6)
    logits = z @ w_CD.T + b_C
    own = logits[np.arange(len(y)), y]
    logits[np.arange(len(y)), y] = -np.inf
    assert found["training_margin"] == pytest.approx((own - logits.max(axis=1)).mean(), rel=1e-4)


def test_the_gradient_is_that_of_the_mean_loss() -> None:
    """At the optimum it is that of the penalty, -l2 W, and that of b is 0."""
    model, _, y_N = solved()
    w_CD = model.head.weight()
    assert gradient_norm(model, y_N) == pytest.approx(0.1 * float(w_CD.norm()), rel=0.05)
    assert all(t.grad is None for t in model.tensors())


def test_samples_are_read_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _, y_N = solved()
    whole = head_diagnostics(model, y_N, None)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert head_diagnostics(model, y_N, None) == pytest.approx(whole, rel=1e-4)


def test_a_start_of_zeros_has_no_relative_distance() -> None:
    model, _, y_N = solved()
    found = head_diagnostics(model, y_N, torch.zeros_like(model.head.weight()))
    assert "relative_distance_from_start" not in found
