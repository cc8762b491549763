"""Whether a training changed anything: seen on the weights themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import run_study

TASK: dict[str, Any] = {
    "name": "still",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "classes": {"pick": 4, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "resolution": 64,
    "seeds": 1,
}
GOOD = {"lr": 1e-3, "warmup_epochs": 0, "epochs": 2}


@pytest.mark.parametrize(
    ("recipe", "changes", "warning"),
    [
        ({}, {}, None),
        ({"lr": 0}, {}, "Training changed nothing: every weight is as it was before."),
        ({"warmup_epochs": 1, "epochs": 1}, {}, "Training changed nothing: every weight is as"),
        ({"lr": 0, "lr_new": 1e-3}, {"paradigm": "vision_only"}, None),
        ({"batch": 1}, {"paradigm": "matching"}, "The loss was 0 in every epoch: only weight"),
    ],
)
def test_a_training_that_did_not_train(
    tmp_path: Path, recipe: dict[str, Any], changes: dict[str, Any], warning: str | None
) -> None:
    (record,) = run_study(TASK, tmp_path, recipe=GOOD | recipe, **changes).records
    assert len(record.warnings) == (warning is not None)
    if warning is not None:
        assert record.warnings[0].startswith(warning)
