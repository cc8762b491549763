"""Weights between those before and after a training, for one evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import run_study

from harness.core.protocols.solver import Watch
from harness.run.attempts import Training
from harness.run.evaluate import Trained
from harness.run.interpolation import interpolated
from harness.run.train import train_cells

from .outside import task
from .prepared import Prepared, prepared

KEYS: dict[str, Any] = {"classifier": "text", "seeds": 1, "schedule": "trained"}


def trained(p: Prepared) -> Trained:
    (outcome,) = train_cells([Training(p.cell, Watch())], p.context)
    assert isinstance(outcome, Trained)
    return outcome


def values(outcome: Trained) -> list[torch.Tensor]:
    assert outcome.model is not None
    return [tensor.detach().clone() for tensor in outcome.model.tensors()]


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_restored_bit_by_bit(tmp_path: Path, fails: bool) -> None:
    """After the evaluation, and after an error in it."""
    p = prepared(tmp_path, schedule="trained", interpolate=0.25)
    outcome = trained(p)
    after = values(outcome)
    before = values(trained(prepared(tmp_path / "0", schedule="trained", recipe=_still())))
    try:
        with interpolated(p.cell, outcome, p.resources):
            between = values(outcome)
            if fails:
                raise RuntimeError("in the midst")
    except RuntimeError:
        assert fails
    assert all(torch.equal(a, b) for a, b in zip(values(outcome), after, strict=True))
    for start, middle, end in zip(before, between, after, strict=True):
        torch.testing.assert_close(middle, 0.75 * start + 0.25 * end)
    assert sum(not torch.equal(a, b) for a, b in zip(before, after, strict=True)) >= 3


def _still() -> dict[str, Any]:
    return task()["recipe"] | {"lr": 0.0, "lr_new": 0.0, "weight_decay": 0.0}


def test_the_start_is_that_of_the_configuration_that_was_chosen(tmp_path: Path) -> None:
    """A searched logit scale is where the training began."""
    recipe = task()["recipe"]
    search = {"search": {"recipe.logit_scale": [7.0]}, "val": 1, "selection": "val"}
    searched = run_study(task(**KEYS, interpolate=0.0, **search), tmp_path)
    plain = run_study(task(**KEYS, interpolate=0.0, recipe=recipe | {"logit_scale": 7.0}), tmp_path)
    probability = [each.store.arrays(each.records[0])["probability"] for each in (searched, plain)]
    np.testing.assert_allclose(*probability, rtol=1e-6)
    other = run_study(task(**KEYS, interpolate=0.0), tmp_path)
    assert not np.allclose(probability[0], other.store.arrays(other.records[0])["probability"])
