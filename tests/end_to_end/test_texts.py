"""Cells whose classifier is made of texts that change while they train."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Ran, plan_of, run_study
from encoders import tiny

from harness.core.errors import BadInput
from harness.core.records import Record

TEMPLATES = {"name": "templates", "texts": ["a {}", "a photo of {}"], "train": "draw"}
TASK: dict[str, Any] = {
    "name": "texts",
    "regime": "full",
    "classifier": "text",
    "seeds": 1,
    "recipe": {"epochs": 3, "batch": 6, "lr": 1e-2, "lr_new": 1e-1, "warmup_epochs": 0},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts")


@pytest.fixture(scope="module")
def encoders(root: Path) -> dict[str, dict[str, Any]]:
    """Keys of a task that name an encoder and its text tower."""
    vit = f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}"
    return {
        "open_clip": {"encoder": vit},
        "hf_clip": {"encoder": f"hf_clip:{tiny.hf_clip(root / 'clip')}"},
        "bert": {
            "encoder": vit, "text_encoder": f"hf_text:{tiny.bert(root / 'bert')}",
            "alignment": "projection",
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def task(root: Path, encoders: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """TASK on small pictures, with the encoder of open_clip."""
    return TASK | {"dataset": tiny.pictures(root / "pictures")} | encoders["open_clip"]


def rows(ran: Ran, record: Record, name: str) -> np.ndarray[Any, Any]:
    """Rows of a classifier, of length 1."""
    w_CD = ran.store.arrays(record)[name].astype(float)
    unit: np.ndarray[Any, Any] = w_CD / np.linalg.norm(w_CD, axis=1, keepdims=True)
    return unit


def moved(ran: Ran, record: Record) -> float:
    """How far the rows of the classifier turned."""
    return float(abs(rows(ran, record, "w_final") - rows(ran, record, "w_init")).max())


@pytest.mark.parametrize("family", ["open_clip", "hf_clip", "bert"])
@pytest.mark.parametrize(
    "form",
    [
        {"prompt": "learnable"},
        {"paradigm": "matching", "text_tower": "online"},
        {"paradigm": "matching", "prompt": "learnable"},
        {"prompt": {"name": "learnable", "position": "behind", "full_stop": True}},
        {"prompt": {"name": "learnable", "position": "around", "class_specific": True}},
    ],
    ids=["learnable", "online", "matching_learnable", "behind", "class_specific"],
)
def test_trained_texts_change_the_classifier(
    tmp_path: Path, task: Any, encoders: Any, family: str, form: dict[str, Any]
) -> None:
    ran = run_study(task, tmp_path, **encoders[family], **form)
    (record,) = ran.records
    assert moved(ran, record) > 1e-3
    assert record.curve[-1]["loss"] < record.curve[0]["loss"]


def test_the_context_is_few_parameters_and_the_tower_is_many(tmp_path: Path, task: Any) -> None:
    own = {"name": "learnable", "class_specific": True}
    ran = run_study(task, tmp_path, prompt=["class_name", "learnable", own])
    plain, learnt, specific = ran.records
    assert learnt.cost["params"] - plain.cost["params"] == 4 * 8  # M = 4 vectors of E = 8
    classes = len(ran.plan.cells[0].setup.trained.names)
    assert specific.cost["params"] - plain.cost["params"] == classes * 4 * 8
    offline, online = run_study(
        task, tmp_path, paradigm="matching", text_tower=["offline", "online"]
    ).records
    assert online.cost["params"] > offline.cost["params"] + 49_408 * 8


def test_trained_texts_name_classes_that_were_not_trained_on(tmp_path: Path, task: Any) -> None:
    """Zero-shot with a learned context: the classifier of the new classes is made with it."""
    four = tmp_path / "pictures"
    dataset = tiny.pictures(four)
    for split in ("train", "test"):  # two classes to train on, and two to test
        shutil.copytree(four / split / "red_car", four / split / "red_boat")
    ran = run_study(
        task, tmp_path, dataset=dataset, prompt="learnable", regime="zero_shot",
        classes={"pick": 2},
        train_classes={},
        recipe={"epochs": 3, "batch": 6, "lr": 0, "lr_new": [1e-1, 0], "warmup_epochs": 0},
    )  # fmt: skip
    learnt, fresh = (ran.store.arrays(record)["w_final"].astype(float) for record in ran.records)
    assert learnt.shape == fresh.shape == (2, 16)
    assert abs(learnt - fresh).max() > 1e-3


def test_drawn_templates_train_and_one_evaluates(tmp_path: Path, task: Any) -> None:
    prompts = [
        TEMPLATES, {**TEMPLATES, "train": "average"}, {"name": "template", "text": "a {}"}
    ]  # fmt: skip
    ran = run_study(task, tmp_path, prompt=prompts)
    drawn, _, single = ran.records
    assert moved(ran, drawn) < 1e-3, "evaluation has its own template, before and after"
    assert rows(ran, drawn, "w_final") == pytest.approx(rows(ran, single, "w_final"), abs=1e-3)
    assert len({record.curve[-1]["loss"] for record in ran.records}) == 3


def test_captions_are_drawn_for_a_tower_that_is_trained(tmp_path: Path, task: Any) -> None:
    """FLYP: the ensemble of the templates through the tower as it was trained."""
    online = {"paradigm": "matching", "text_tower": "online", "loss": "infonce"}
    drawn = TEMPLATES | {"evaluation": "all"}
    ran = run_study(task, tmp_path, prompt=[drawn, {**TEMPLATES, "train": "average"}], **online)
    captions, averaged = ran.records
    assert moved(ran, captions) > 1e-3
    assert captions.curve[-1]["loss"] < captions.curve[0]["loss"]
    assert captions.curve[0]["loss"] != averaged.curve[0]["loss"]
    first, second = (rows(ran, record, "w_init") for record in ran.records)
    assert first == pytest.approx(second, abs=1e-6), "the same ensemble before training"


def test_only_texts_can_change(tmp_path: Path, task: Any) -> None:
    plan = plan_of(
        task, tmp_path, prompt="learnable", classifier=["text", "random"],
        schedule=["frozen", "trained"],
    )  # fmt: skip
    learnt = [c.cell for c in plan.cells if str(c.cell.prompt) == "learnable"]
    assert [(str(c.classifier), c.schedule) for c in learnt] == [("text", "frozen")]
    assert [cell.schedule for cell, _ in plan.infeasible] == ["trained"]
    random = [c.cell for c in plan.cells if str(c.cell.classifier) == "random"]
    assert len(random) == 2
    assert {str(c.prompt) for c in random} == {"class_name"}, "nobody reads its texts"


def test_without_the_gather_the_micro_batch_must_be_given(tmp_path: Path, task: Any) -> None:
    with pytest.raises(BadInput, match=r"recipe\.micro_batch: is missing: gather: false"):
        plan_of(task, tmp_path, paradigm="matching", gather=False)
    recipe = {"epochs": 2, "batch": 6, "micro_batch": 2, "lr": 1e-2, "warmup_epochs": 0}
    apart, whole = run_study(
        task, tmp_path, paradigm="matching", gather=[False, True], recipe=recipe
    ).records
    assert apart.curve[0]["loss"] < whole.curve[0]["loss"], "fewer negatives are easier to tell"
