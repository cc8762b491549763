"""Weights that are saved, and cells that begin from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Ran, plan_of, run_study

from harness.core.errors import BadInput
from harness.training.weights import NAME

TASK: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 2,
    "classes": {"pick": 6, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "resolution": 64,
    "recipe": {"lr": 1e-3, "epochs": 3, "warmup_epochs": 0},
    "seeds": 1,
}
ZERO = {"regime": "zero_shot", "shots": None, "tuning": "none"}


def trained(runs: Path, **changes: Any) -> tuple[Ran, Path]:
    """A cell that was trained, and the file of its weights."""
    ran = run_study(TASK, runs, save="last", **changes)
    return ran, runs / "checkpoints" / ran.plan.cells[0].train_key / NAME


@pytest.mark.parametrize("tuning", ["projection", "all"])
def test_evaluating_saved_weights_gives_what_their_training_gave(
    tmp_path: Path, tuning: str
) -> None:
    ran, file = trained(tmp_path, tuning=tuning)
    assert [p.name for p in file.parent.iterdir()] == [NAME]
    init = f"tiny#{ran.plan.cells[0].train_key}"
    (loaded,) = run_study(TASK, tmp_path, init=init, **ZERO).records
    assert loaded.top1 == ran.records[0].top1
    (pretrained,) = run_study(TASK, tmp_path, **ZERO).records
    assert pretrained.nll != loaded.nll
    (by_file,) = run_study(TASK, tmp_path, init=str(file), **ZERO).records
    assert by_file.nll == loaded.nll


RECIPE = {"lr": 1e-3, "lr_new": 1e-2, "epochs": 3, "warmup_epochs": 0}
CLIPS: dict[str, Any] = {
    "dataset": {"name": "emoji_motion", "objects": 2, "motions": ["left", "right"]},
    "classes": {}, "frames": 4, "shots": 2,
}  # fmt: skip
ONLINE = {"paradigm": "matching", "text_tower": "online"}
SAVED = {"classifier": "saved"}
BEHIND = {"name": "learnable", "position": "behind", "class_specific": True, "full_stop": True}


@pytest.mark.parametrize(
    ("trained_with", "evaluated_with"),
    [
        ({}, {}),
        ({}, SAVED),
        ({"tuning": "all"}, SAVED),
        ({"temporal": "t_trans"} | CLIPS, SAVED),
        ({"temporal": "t1d", "tuning": "all"} | CLIPS, {}),
        ({"prompt": "learnable"}, {}),
        ({"prompt": BEHIND}, {}),
        ({"prompt": BEHIND}, SAVED | {"prompt": "class_name"}),
        ({"prompt": "learnable"}, SAVED | {"prompt": "class_name"}),
        (ONLINE, {}),
        (ONLINE, {"paradigm": "vision_text"} | SAVED),
        (ONLINE | {"prompt": "learnable"}, {}),
        ({"schedule": "trained", "classifier": "random"}, SAVED),
        ({"schedule": "trained", "classifier": {"name": "text", "normalise": False}}, SAVED),
        ({"recipe": RECIPE | {"logit_scale": 60, "train_logit_scale": False}}, SAVED),
        ({"paradigm": "vision_only"}, SAVED),
        ({"tuning": "head", "classifier": "random"}, SAVED),
        ({"tuning": "head", "temporal": "tap"} | CLIPS, SAVED),
    ],
)
def test_a_saved_model_predicts_as_the_cell_that_saved_it(
    tmp_path: Path, trained_with: dict[str, Any], evaluated_with: dict[str, Any]
) -> None:
    """Whatever was trained: the label, the rank and the probability of every test sample."""
    with_recipe = {"recipe": RECIPE} | trained_with
    ran = run_study(TASK, tmp_path, save="last", **with_recipe)
    init = f"tiny#{ran.plan.cells[0].train_key}"
    changes = with_recipe | {"tuning": "none", "init": init} | evaluated_with
    again = run_study(TASK, tmp_path, **changes)
    before, after = (each.store.arrays(each.records[0]) for each in (ran, again))
    assert np.array_equal(before["prediction"], after["prediction"])
    assert np.array_equal(before["rank"], after["rank"])
    np.testing.assert_allclose(before["probability"], after["probability"], atol=2e-6)
    assert again.records[0].nll == pytest.approx(ran.records[0].nll, rel=1e-5)
    assert ran.records[0].curve[0]["loss"] != ran.records[0].curve[-1]["loss"], "it was trained"


def test_what_was_trained_before_goes_on_through_every_file(tmp_path: Path) -> None:
    """A cell that keeps the backbone and the text tower of its `init` saves them too."""
    first = run_study(TASK, tmp_path, save="last", tuning="all", recipe=RECIPE, **ONLINE)
    init = f"tiny#{first.plan.cells[0].train_key}"
    second = run_study(TASK, tmp_path, save="last", init=init, recipe=RECIPE)
    init = f"tiny#{second.plan.cells[0].train_key}"
    third = run_study(TASK, tmp_path, init=init, tuning="none")
    before, after = (each.store.arrays(each.records[0]) for each in (second, third))
    np.testing.assert_allclose(before["probability"], after["probability"], atol=2e-6)
    parts = third.plan.cells[0].setup.saved
    assert parts is not None
    assert {"module", "text", "logit_scale", "classifier"} <= parts.parts


def test_training_goes_on_from_the_saved_rows_of_w(tmp_path: Path) -> None:
    """Its first loss is that of the model as saved: nothing is rescaled."""
    batch = RECIPE | {"batch": 512, "dropout": 0}
    (longer,) = run_study(
        TASK, tmp_path, schedule="trained", recipe=batch | {"epochs": 4, "decay": "constant"}
    ).records
    (constant,) = run_study(
        TASK, tmp_path, save="last", schedule="trained", recipe=batch | {"decay": "constant"}
    ).records
    more = {"classifier": "saved", "init": f"tiny#{constant.train_key}"}
    (fourth,) = run_study(TASK, tmp_path, schedule="trained", recipe=batch, **more).records
    assert fourth.curve[0]["loss"] == pytest.approx(longer.curve[3]["loss"], rel=1e-6)


def test_the_report_says_what_is_not_used(tmp_path: Path) -> None:
    from harness.study import open_study

    ran, _ = trained(tmp_path)
    init = f"tiny#{ran.plan.cells[0].train_key}"
    study = open_study(TASK, runs=tmp_path, reports=tmp_path / "reports", init=init, **ZERO)
    report = study.run().report()[0].read_text(encoding="utf-8")
    assert "the saved W is not used; classifier: saved would use it (rows: text)." in report


def test_training_goes_on_from_saved_weights(tmp_path: Path) -> None:
    ran, _ = trained(tmp_path)
    recipe = {**TASK["recipe"], "lr": 1e-5}
    (first,) = run_study(TASK, tmp_path, recipe=recipe).records
    init = f"tiny#{ran.plan.cells[0].train_key}"
    (more,) = run_study(TASK, tmp_path, recipe=recipe, init=init).records
    assert more.curve[0]["loss"] < first.curve[0]["loss"]
    assert more.key != first.key


def test_other_weights_are_another_cell(tmp_path: Path) -> None:
    _, file = trained(tmp_path)
    copy = tmp_path / "weights.safetensors"
    copy.write_bytes(file.read_bytes())
    before = run_study(TASK, tmp_path, init=str(copy), **ZERO)
    _, other = trained(tmp_path, shots=1)
    copy.write_bytes(other.read_bytes())
    after = run_study(TASK, tmp_path, init=str(copy), **ZERO)
    assert before.records[0].key != after.records[0].key
    assert before.records[0].nll != after.records[0].nll


def test_what_is_not_to_be_saved_is_not(tmp_path: Path) -> None:
    run_study(TASK, tmp_path)
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ("nowhere.safetensors", "init: there are no saved weights nowhere.safetensors"),
        ("tiny#0123", "run task tiny with save=last first"),
    ],
)
def test_weights_that_are_not_there(tmp_path: Path, init: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        plan_of(TASK, tmp_path, init=init, **ZERO)


def test_a_file_that_holds_no_weights(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"no weights")
    with pytest.raises(BadInput, match="does not hold weights that"):
        plan_of(TASK, tmp_path, init=str(file), **ZERO)
