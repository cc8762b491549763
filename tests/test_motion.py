"""Averaging over frames cannot tell a motion from its reversal; modules over time can (Table 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.store import Store
from harness.plan.plan import make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate

#: Left against right only; clips of two vendors that were not trained on.
MOTION = {"name": "emoji_motion", "motions": ["left", "right"], "part": "development"}
RECIPE = {"lr": 1e-3, "lr_new": 1e-3, "batch": 16, "warmup_epochs": 2, "weight_decay": 0.1}
#: Features of frozen pictures (standard deviation 0.5) drown positions of the public code's 0.02.
T_TRANS = {"name": "t_trans", "layers": 2, "position_std": 0.5}


def directions(tmp_path: Path, **changes: Any) -> dict[str, float]:
    """Part of the test clips whose direction is right, whatever the object, by module."""
    task = {
        "name": "motion", "regime": "few_shot", "frames": 8, "seeds": 1, "classifier": "text",
        **changes,
    }  # fmt: skip
    store = Store(tmp_path)
    plan = make_plan(expand(validate(task, "t.yaml")), store)
    run_cells(plan.cells, store)
    found = {}
    for planned in plan.cells:
        record = store.read(planned.key)
        assert record is not None
        assert record.status == "done", record.error
        test = store.read_test(str(record.test))
        side = np.array(["left" in name for name in test.class_names])
        predicted = store.arrays(record)["prediction"]
        assert planned.cell.temporal is not None
        right = side[predicted] == side[test.labels]
        found[planned.cell.temporal.name] = float(right.mean())
    return found


def test_a_transformer_over_frozen_frames_tells_left_from_right(tmp_path: Path) -> None:
    found = directions(
        tmp_path, dataset={**MOTION, "objects": 4}, shots=10, encoder="embedded/lit-emoji",
        resolution=112, temporal=["tap", T_TRANS], tuning="projection",
        recipe={**RECIPE, "epochs": 20},
    )  # fmt: skip
    assert found["tap"] == pytest.approx(0.5, abs=1e-9), "a clip and its reversal look the same"
    assert found["t_trans"] > 0.9


def test_convolutions_in_the_late_stages_tell_left_from_right(tmp_path: Path) -> None:
    """The whole backbone is tuned, on small pictures of one object."""
    found = directions(
        tmp_path, dataset={**MOTION, "objects": 1, "clips": 8}, shots=40,
        encoder="embedded/lit-emoji", resolution=64, temporal=["t1d"], tuning="all",
        recipe={**RECIPE, "lr": 3e-4, "lr_new": 1e-2, "batch": 8, "epochs": 4},
    )  # fmt: skip
    assert found["t1d"] > 0.9
