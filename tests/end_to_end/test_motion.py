"""Averaging over frames cannot tell a motion from its reversal; modules over time can (Table 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run_study

#: Left against right only; clips of two vendors that were not trained on.
MOTION = {"name": "emoji_motion", "motions": ["left", "right"], "part": "development"}
RECIPE = {"lr": 1e-3, "lr_new": 1e-3, "batch": 16, "warmup_epochs": 2, "weight_decay": 0.1}
#: Features of frozen pictures (standard deviation 0.5) drown positions of the public code's 0.02.
T_TRANS = {"name": "t_trans", "layers": 2, "position_std": 0.5}
TASK: dict[str, Any] = {
    "name": "motion", "regime": "few_shot", "encoder": "embedded/lit-emoji", "frames": 8,
    "classifier": "text", "seeds": 1,
}  # fmt: skip


def directions(runs: Path, **changes: Any) -> dict[str, float]:
    """Part of the test clips whose direction is right, whatever the object, by module."""
    ran = run_study(TASK, runs, **changes)
    right = {}
    for resolved, record in zip(ran.plan.cells, ran.records, strict=True):
        test = ran.store.read_test(str(record.test))
        is_left = np.array(["left" in name for name in test.class_names])
        prediction = ran.store.arrays(record)["prediction"]
        assert resolved.cell.temporal is not None
        right[resolved.cell.temporal.name] = float(
            (is_left[prediction] == is_left[test.labels]).mean()
        )
    return right


@pytest.mark.slow
def test_a_transformer_over_frozen_frames_tells_left_from_right(tmp_path: Path) -> None:
    right = directions(
        tmp_path, dataset={**MOTION, "objects": 4}, shots=10, resolution=112,
        temporal=["tap", T_TRANS], tuning="projection", recipe={**RECIPE, "epochs": 20},
    )  # fmt: skip
    assert right["tap"] == pytest.approx(0.5, abs=1e-9), "a clip and its reversal look the same"
    assert right["t_trans"] > 0.9


@pytest.mark.slow
def test_convolutions_in_the_late_stages_tell_left_from_right(tmp_path: Path) -> None:
    """The whole backbone is tuned, on small pictures of one object."""
    right = directions(
        tmp_path, dataset={**MOTION, "objects": 1, "clips": 8}, shots=40, resolution=64, frames=4,
        temporal=["t1d"], tuning="all",
        recipe={**RECIPE, "lr": 3e-4, "lr_new": 1e-2, "batch": 8, "epochs": 4},
    )  # fmt: skip
    assert right["t1d"] > 0.9
