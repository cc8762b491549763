"""Cells that are trained in stages: with a search, a module over time, and begun from again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import run_study
from encoders import tiny

from harness.training.weights import load_weights

RECIPE = {"lr": 1e-2, "warmup_epochs": 0, "batch": 64, "iterations": 5, "decay": "constant"}
LORA = {"share": 0.6, "tuning": {"lora": {"dropout": 0.5}}}
HEAD = {"share": 0.4, "tuning": "head"}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("stages")
    return {
        "name": "stages", "dataset": tiny.pictures(root / "pictures"), "regime": "few_shot",
        "shots": 2, "encoder": f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}",
        "classifier": "text", "stages": [LORA, HEAD], "recipe": RECIPE, "seeds": 1,
    }  # fmt: skip


def test_every_configuration_has_all_stages(task: dict[str, Any], tmp_path: Path) -> None:
    """A searched rate is that of both stages; the best one is what is trained alone with it."""
    keys: dict[str, Any] = {"search": {"recipe.lr": [1e-6, 1e-1]}, "val": 2, "selection": "val"}
    searched = run_study(task, tmp_path / "searched", **keys)
    (record,) = searched.records
    chosen = record.diagnostics["chosen"]["lr"]
    keys["search"] = {"recipe.lr": [chosen]}
    (alone,) = run_study(task, tmp_path / "alone", **keys).records
    assert [p["stage"] for p in record.curve] == [1, 1, 1, 2, 2]
    assert [p["loss"] for p in record.curve] == [p["loss"] for p in alone.curve]
    assert [trial["config"] for trial in record.diagnostics["search"]] == [
        {"lr": 1e-6}, {"lr": 1e-1},
    ]  # fmt: skip


@pytest.mark.parametrize("online", [True, False], ids=["online", "offline"])
def test_what_was_saved_begins_again(task: dict[str, Any], tmp_path: Path, online: bool) -> None:
    """The adapted towers and W: without training the predictions are the same."""
    tower = {"text_tower": "online"} if online else {}
    ran = run_study(task, tmp_path, save="last", **tower)
    file = ran.store.root / "checkpoints" / ran.plan.cells[0].train_key / "weights.safetensors"
    again = run_study(
        {k: v for k, v in task.items() if k not in ("stages", "recipe")}, tmp_path,
        tuning="none", classifier="saved", init=str(file),
    )  # fmt: skip
    probability = [each.store.arrays(each.records[0])["probability"] for each in (ran, again)]
    np.testing.assert_allclose(*probability, rtol=1e-5)
    assert bool(load_weights(file).text) is online


def test_a_module_over_time_rests_while_w_is_trained(tmp_path: Path, task: dict[str, Any]) -> None:
    """Stages of a vanishing rate before and after show which stage moves it."""
    clips = {
        "dataset": {"name": "emoji_motion", "objects": 2, "motions": ["left", "right"], "size": 48,
                    "clips": 1}, "temporal": "t_trans", "frames": 2, "save": "last",
    }  # fmt: skip
    still, fast = {"lr": 0.0, "lr_new": 0.0}, {"lr": 1e-2, "lr_new": 1e-2, "weight_decay": 0.0}

    def module(name: str, first: dict[str, Any], second: dict[str, Any]) -> Any:
        stages = [{"share": 0.6, "tuning": "projection", "recipe": first},
                  HEAD | {"recipe": second}]  # fmt: skip
        ran = run_study(task, tmp_path / name, **clips, stages=stages)
        key = ran.plan.cells[0].train_key
        saved = load_weights(ran.store.root / "checkpoints" / key / "weights.safetensors")
        return torch.cat([t.flatten() for t in saved.temporal.values()]), saved.head["classifier"]

    (start, w_start), (first, w_first) = module("a", still, still), module("b", fast, still)
    second, w_second = module("c", still, fast)
    assert not torch.equal(first, start)
    assert torch.equal(second, start), "in the stage head it rests"
    assert torch.equal(w_first, w_start)
    assert not torch.equal(w_second, w_start)
