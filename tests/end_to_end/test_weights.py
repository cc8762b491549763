"""Weights that are saved, and cells that begin from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    "resolution": 32,
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
