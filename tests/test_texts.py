"""Cells whose classifier is made of texts that change while they train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.plan.plan import Plan, make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate
from tests.encoders import tiny

TEMPLATES = {"name": "templates", "texts": ["a {}", "a photo of {}"], "train": "draw"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts")


@pytest.fixture(scope="module")
def towers(root: Path) -> dict[str, dict[str, Any]]:
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
def data(root: Path) -> str:
    return tiny.pictures(root / "pictures")


def planned(folder: Path, data: str, **changes: Any) -> tuple[Store, Plan]:
    base = {
        "name": "texts", "dataset": data, "regime": "full", "classifier": "text", "seeds": 1,
        "recipe": {"epochs": 3, "batch": 6, "lr": 1e-2, "lr_new": 1e-1, "warmup_epochs": 0},
    }  # fmt: skip
    store = Store(folder / "runs")
    return store, make_plan(expand(validate({**base, **changes}, "t.yaml")), store, "t.yaml")


def run(folder: Path, data: str, **changes: Any) -> list[Any]:
    store, plan = planned(folder, data, **changes)
    run_cells(plan.cells, store)
    records = [store.read(p.key) for p in plan.cells]
    assert all(r and r.status == "done" for r in records), [r and r.error for r in records]
    return records


def moved(store: Store, record: Any) -> float:
    """How far the rows of the classifier turned."""
    return float(abs(rows(store, record, "w_final") - rows(store, record, "w_init")).max())


def rows(store: Store, record: Any, name: str) -> np.ndarray[Any, Any]:
    """Rows of length 1."""
    w_CD = store.arrays(record)[name].astype(float)
    unit: np.ndarray[Any, Any] = w_CD / np.linalg.norm(w_CD, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("tower", ["open_clip", "hf_clip", "bert"])
@pytest.mark.parametrize(
    "form",
    [
        {"prompt": "learnable"},
        {"paradigm": "matching", "text_tower": "online"},
        {"paradigm": "matching", "prompt": "learnable"},
    ],
    ids=["learnable", "online", "matching_learnable"],
)
def test_trained_texts_change_the_classifier(
    tmp_path: Path, data: str, towers: Any, tower: str, form: dict[str, Any]
) -> None:
    (record,) = run(tmp_path, data, **towers[tower], **form)
    assert moved(Store(tmp_path / "runs"), record) > 1e-3
    assert record.curve[-1]["loss"] < record.curve[0]["loss"]


def test_the_context_is_few_parameters_and_the_tower_is_many(
    tmp_path: Path, data: str, towers: Any
) -> None:
    plain, learnt = run(tmp_path, data, **towers["open_clip"], prompt=["class_name", "learnable"])
    assert learnt.cost["params"] - plain.cost["params"] == 4 * 8  # M = 4 vectors of E = 8
    fixed, online = run(
        tmp_path, data, **towers["open_clip"], paradigm="matching",
        text_tower=["offline", "online"],
    )  # fmt: skip
    assert online.cost["params"] > fixed.cost["params"] + 49_408 * 8


def test_trained_texts_name_classes_that_were_not_trained_on(
    tmp_path: Path, data: str, towers: Any
) -> None:
    """Zero-shot with a learned context: the classifier of the new classes is made with it."""
    learnt, fresh = run(
        tmp_path, data, **towers["open_clip"], prompt="learnable", regime="zero_shot",
        classes={"pick": 1}, train_classes={},
        recipe={"epochs": 3, "batch": 6, "lr": 0, "lr_new": [1e-1, 0], "warmup_epochs": 0},
    )  # fmt: skip
    store = Store(tmp_path / "runs")
    a, b = store.arrays(learnt)["w_final"], store.arrays(fresh)["w_final"]
    assert a.shape == b.shape == (1, 16)
    assert abs(a.astype(float) - b.astype(float)).max() > 1e-3


def test_drawn_templates_train_and_one_evaluates(tmp_path: Path, data: str, towers: Any) -> None:
    drawn, averaged = run(
        tmp_path, data, **towers["open_clip"], prompt=[TEMPLATES, {**TEMPLATES, "train": "average"}]
    )
    single = run(
        tmp_path, data, **towers["open_clip"], prompt={"name": "template", "text": "a {}"}
    )[0]
    store = Store(tmp_path / "runs")
    assert moved(store, drawn) < 1e-3, "evaluation has its own template, before and after"
    assert rows(store, drawn, "w_final") == pytest.approx(rows(store, single, "w_final"), abs=1e-3)
    assert len({r.curve[-1]["loss"] for r in (drawn, averaged, single)}) == 3


def test_only_texts_can_change(tmp_path: Path, data: str, towers: Any) -> None:
    _, plan = planned(
        tmp_path, data, **towers["open_clip"], prompt="learnable", classifier=["text", "random"],
        schedule=["frozen", "trained"],
    )  # fmt: skip
    learnt = [p.cell for p in plan.cells if str(p.cell.prompt) == "learnable"]
    assert [(str(c.classifier), c.schedule) for c in learnt] == [("text", "frozen")]
    assert [cell.schedule for cell, _ in plan.infeasible] == ["trained"]
    random = [p.cell for p in plan.cells if str(p.cell.classifier) == "random"]
    assert len(random) == 2
    assert {str(c.prompt) for c in random} == {"class_name"}, "nobody reads its texts"


def test_without_the_gather_the_micro_batch_must_be_said(
    tmp_path: Path, data: str, towers: Any
) -> None:
    with pytest.raises(BadInput, match=r"recipe\.micro_batch: is missing: gather: false"):
        planned(tmp_path, data, **towers["open_clip"], paradigm="matching", gather=False)
    recipe = {"epochs": 2, "batch": 6, "micro_batch": 2, "lr": 1e-2, "warmup_epochs": 0}
    apart, whole = run(
        tmp_path, data, **towers["open_clip"], paradigm="matching", gather=[False, True],
        recipe=recipe,
    )  # fmt: skip
    assert apart.curve[0]["loss"] < whole.curve[0]["loss"], "fewer negatives are easier to tell"
