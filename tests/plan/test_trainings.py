"""Seconds of whole trainings: of a large one in all, and how cells share them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.cells import Choice
from harness.core.hardware import Hardware
from harness.core.store import Store
from harness.plan.estimate import Estimate, learned
from harness.plan.needs import READ_SECONDS
from harness.plan.speeds import CORE_SPEED, Speeds
from harness.plan.trainings import backbone_seconds
from plan.conftest import AddDataset, AddEncoder
from tests.sampling.toy import items

VIT_B_16 = {"macs": 17.56e9, "resolution": 224, "tower": "vit", "dim": 512, "text_dim": 512}


@pytest.fixture
def kinetics(
    tmp_path: Path,
    add_dataset: AddDataset,
    add_encoder: AddEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Any]:
    """240,000 clips of 400 classes, 8 frames, 30 epochs of ViT-B/16."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    classes = tuple(f"action {n}" for n in range(400))
    data = add_dataset(
        "clips", kind="clips", classes=classes,
        train=items("train", 600, 400), test=items("test", 50, 400),
    )  # fmt: skip
    return {
        "name": "t", "dataset": data, "regime": "full", "tuning": "all", "classifier": "text",
        "encoder": add_encoder("vit", **VIT_B_16), "frames": 8, "temporal": "tap", "seeds": 1,
        "recipe": {"epochs": 30, "batch": 256},
    }  # fmt: skip


OPERATIONS = 240_000 * 8 * 30 * 6 * 17.56e9
A100 = Hardware("cuda", "a100", cores=16)


def test_kinetics_takes_hundreds_of_gpu_hours(kinetics: dict[str, Any], tmp_path: Path) -> None:
    cells = plan_of(kinetics, tmp_path / "runs").cells
    estimate = Estimate(cells, learned(Store(tmp_path / "runs")), A100)
    assert 100 < estimate.work.training / 3600 < 1000
    assert estimate.work.training == pytest.approx(OPERATIONS / (19.5e12 * 0.6))
    tested = 20_000 * 8 * 2 * 17.56e9
    assert estimate.work.evaluation == pytest.approx(
        max(tested / (19.5e12 * 0.6), 20_000 * 8 * READ_SECONDS["clips"] / 16)
    )
    assert "144 h training" in estimate.work.line()
    assert estimate.work.line().endswith("backbones train at 12 TFLOP/s (stated for A100, float32)")


def test_the_slower_of_reading_and_computing_counts(
    kinetics: dict[str, Any], tmp_path: Path
) -> None:
    kinetics["recipe"]["precision"] = "bfloat16"
    (resolved,) = plan_of(kinetics, tmp_path / "runs").cells
    read = 240_000 * 8 * 30 * READ_SECONDS["clips"]

    def hours(hardware: Hardware) -> float:
        return backbone_seconds([resolved], Speeds(), hardware)[resolved.cell].training / 3600

    assert hours(Hardware("cuda", "a100", cores=4)) == pytest.approx(read / 4 / 3600)
    computed = OPERATIONS / (312e12 * 0.3) / 3600
    assert hours(Hardware("cuda", "a100", cores=64)) == pytest.approx(computed)
    eight = Hardware("cuda", "a100", processes=8, cores=64)
    assert hours(eight) == pytest.approx(computed / 8)
    on_cpu = OPERATIONS / CORE_SPEED + read
    assert hours(Hardware("cpu", cores=64)) == pytest.approx(on_cpu / 3600), "of one core"


def test_cells_of_one_training_share_it(kinetics: dict[str, Any], tmp_path: Path) -> None:
    cells = plan_of(kinetics, tmp_path / "runs", views=["1x1", "4x3"], seeds=2).cells
    seconds = backbone_seconds(cells, Speeds(), A100)
    assert len(seconds) == len(cells) == 4
    total = sum(each.training for each in seconds.values())
    assert total == pytest.approx(2 * OPERATIONS / (19.5e12 * 0.6))
    by_views = {cell.views: each.evaluation for cell, each in seconds.items()}
    assert by_views["4x3"] == pytest.approx(12 * by_views["1x1"])


def test_small_cells_are_estimated_as_before(kinetics: dict[str, Any], tmp_path: Path) -> None:
    cells = plan_of(kinetics, tmp_path / "runs", tuning="projection").cells
    assert cells[0].cell.encoder == Choice(kinetics["encoder"])
    assert backbone_seconds(cells, Speeds(), A100) == {}
