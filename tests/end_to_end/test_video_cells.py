"""Tiny open_clip towers through every regime and paradigm on real video files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of, run_study
from encoders import tiny

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.run.runner import run_cells

TASK: dict[str, Any] = {
    "name": "clips",
    "regime": "full",
    "temporal": "tap",
    "frames": 4,
    "classifier": "text",
    "recipe": {"epochs": 2, "batch": 4, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0},
    "seeds": 1,
}
MOTION = {"objects": 2, "motions": ("left", "right"), "size": 48, "clips": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("video")


@pytest.fixture(scope="module")
def clips(root: Path) -> Path:
    """The clips of emoji_motion, encoded, with lists as the field writes them."""
    from harness.data import emoji_motion
    from harness.data._video_writer import write_clips

    data = emoji_motion.open_dataset("", emoji_motion.Options(**MOTION))
    write_clips(data, root / "clips")
    return root / "clips"


@pytest.fixture(scope="module")
def encoders(root: Path) -> dict[str, str]:
    return {
        "vit": f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}",
        "resnet": f"open_clip:{tiny.open_clip_model(root / 'resnet', tiny.RESNET)}",
    }


@pytest.mark.parametrize("tower", ["vit", "resnet"])
def test_every_regime_and_paradigm_runs_on_video_files(
    tmp_path: Path, clips: Path, encoders: dict[str, str], tower: str
) -> None:
    plan = run_study(
        TASK, tmp_path, dataset=f"video:{clips}", encoder=encoders[tower],
        regime=["full", "few_shot", "zero_shot"], shots=2,
        paradigm=["vision_text", "vision_only", "matching"],
        tuning=["none", "projection", "all"], views=["1x1", "2x1"],
    ).plan  # fmt: skip
    kinds = {(c.cell.regime, str(c.cell.paradigm), c.cell.tuning) for c in plan.cells}
    trained = {
        (regime, paradigm, tuning)
        for regime in ("full", "few_shot")
        for paradigm in ("vision_text", "vision_only", "matching")
        for tuning in ("projection", "all")
    }
    assert trained <= kinds
    assert ("zero_shot", "matching", "none") in kinds


def test_a_corrupt_video_is_reported_by_name(
    tmp_path: Path, clips: Path, encoders: dict[str, str]
) -> None:
    """Cut in the middle: no frame is made up; the file is named, or left out where that may be."""
    folder = tmp_path / "cut"
    shutil.copytree(clips, folder)
    file = sorted(folder.rglob("*.mp4"))[0]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    task = TASK | {"encoder": encoders["vit"]}
    plan = plan_of(task, tmp_path / "runs", dataset=f"video:{folder}")
    with pytest.raises(BadInput, match=file.name):
        run_cells(plan.cells, Store(tmp_path / "runs"))
    allowed = {"name": f"video:{folder}", "max_corrupt": 1}
    ran = run_study(task, tmp_path / "runs", dataset=allowed)
    assert any(file.name in note for note in ran.plan.notes())
