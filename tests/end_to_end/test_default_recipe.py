"""A head on frozen features of the embedded encoder without a recipe: as good as a probe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import run_study

TASK: dict[str, Any] = {
    "name": "default", "dataset": "emoji", "regime": "few_shot", "shots": 2,
    "classes": {"pick": 12, "seed": 0, "from": "development"}, "encoder": "embedded/lit-emoji",
    "tuning": "head", "classifier": "text", "seeds": 1,
}  # fmt: skip


def test_it_is_near_a_probe_that_is_solved(tmp_path: Path) -> None:
    (default,) = run_study(TASK, tmp_path).records
    probe = {"paradigm": "vision_only", "classifier": "random", "recipe": {"l2": 1e-3}}
    (solved,) = run_study(TASK | probe, tmp_path).records
    assert default.top1 is not None
    assert solved.top1 is not None
    assert solved.top1 > 0.7
    assert default.top1 >= solved.top1 - 0.09, "two of 24 test items"
