"""Tiny open_clip towers through every regime and paradigm on real video files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.plan.plan import Plan, make_plan, notes
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate
from tests.encoders import tiny

RECIPE = {"epochs": 2, "batch": 4, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0}
MOTION = {"objects": 2, "motions": ("left", "right"), "size": 48, "clips": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("video")


@pytest.fixture(scope="module")
def clips(root: Path) -> str:
    """The clips of emoji_motion, encoded, with lists as the field writes them."""
    from harness.data import emoji_motion
    from harness.data._videos import write_clips

    data = emoji_motion.open_dataset("", emoji_motion.Options(**MOTION))
    write_clips(data, root / "clips")
    return f"video:{root / 'clips'}"


@pytest.fixture(scope="module")
def encoders(root: Path) -> dict[str, str]:
    return {
        "vit": f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}",
        "resnet": f"open_clip:{tiny.open_clip_model(root / 'resnet', tiny.RESNET)}",
    }


def planned(folder: Path, data: Any, **changes: Any) -> tuple[Plan, Store]:
    base = {
        "name": "clips", "dataset": data, "regime": "full", "temporal": "tap", "frames": 4,
        "classifier": "text", "recipe": RECIPE, "seeds": 1,
    }  # fmt: skip
    store = Store(folder)
    return make_plan(expand(validate({**base, **changes}, "t.yaml")), store, "t.yaml"), store


@pytest.mark.parametrize("tower", ["vit", "resnet"])
def test_every_regime_and_paradigm_runs_on_video_files(
    tmp_path: Path, clips: str, encoders: dict[str, str], tower: str
) -> None:
    plan, store = planned(
        tmp_path, clips, encoder=encoders[tower], regime=["full", "few_shot", "zero_shot"],
        shots=2, paradigm=["vision_text", "vision_only", "matching"],
        tuning=["none", "projection", "all"], views=["1x1", "2x1"],
    )  # fmt: skip
    run_cells(plan.cells, store)
    records = [store.read(p.key) for p in plan.cells]
    assert all(r and r.status == "done" for r in records), [r and r.error for r in records]
    kinds = {(p.cell.regime, p.cell.paradigm.name, p.cell.tuning) for p in plan.cells}
    trained = {
        (r, p, t)
        for r in ("full", "few_shot")
        for p in ("vision_text", "vision_only", "matching")
        for t in ("projection", "all")
    }
    assert trained <= kinds
    assert ("zero_shot", "matching", "none") in kinds


def test_a_corrupt_video_is_told_by_name(
    tmp_path: Path, clips: str, encoders: dict[str, str]
) -> None:
    """Cut in the middle: no frame is made up; the file is named, or left out where that may be."""
    folder = tmp_path / "cut"
    shutil.copytree(clips.partition(":")[2], folder)
    file = sorted(folder.rglob("*.mp4"))[0]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    plan, store = planned(tmp_path / "runs", f"video:{folder}", encoder=encoders["vit"])
    with pytest.raises(BadInput, match=file.name):
        run_cells(plan.cells, store)
    allowed = {"name": f"video:{folder}", "max_corrupt": 1}
    plan, store = planned(tmp_path / "runs", allowed, encoder=encoders["vit"])
    run_cells(plan.cells, store)
    record = store.read(plan.cells[0].key)
    assert record is not None
    assert record.status == "done"
    assert any(file.name in note for note in notes(plan))
