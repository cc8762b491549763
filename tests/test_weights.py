"""Weights that are saved, and what begins from them."""

from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.plan.plan import Plan, make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate
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


def run(root: Path, *, save: bool = False, **changes: Any) -> tuple[Any, Plan]:
    store = Store(root)
    plan = make_plan(expand(validate({**TASK, **changes}, "t.yaml")), store, "t.yaml")
    run_cells(plan.missing(), store, save=save)
    (record,) = [store.read(p.key) for p in plan.cells]
    assert record is not None
    assert record.status == "done", record.error
    return record, plan


@pytest.mark.parametrize("tuning", ["projection", "all"])
def test_evaluating_saved_weights_gives_what_their_training_gave(
    tmp_path: Path, tuning: str
) -> None:
    trained, plan = run(tmp_path, save=True, tuning=tuning)
    key = plan.cells[0].train_key
    assert [p.name for p in (tmp_path / "checkpoints" / key).iterdir()] == [NAME]
    again, _ = run(tmp_path, init=f"tiny#{key}", **ZERO)
    assert again.top1 == trained.top1
    pretrained, _ = run(tmp_path, **ZERO)
    assert pretrained.nll != again.nll
    file = tmp_path / "checkpoints" / key / NAME
    by_file, _ = run(tmp_path, init=str(file), **ZERO)
    assert by_file.nll == again.nll


def test_training_goes_on_from_saved_weights(tmp_path: Path) -> None:
    _, plan = run(tmp_path, save=True)
    key = plan.cells[0].train_key
    first, _ = run(tmp_path, recipe={**TASK["recipe"], "lr": 1e-5})
    more, _ = run(tmp_path, recipe={**TASK["recipe"], "lr": 1e-5}, init=f"tiny#{key}")
    assert more.curve[0]["loss"] < first.curve[0]["loss"]
    assert more.key != first.key


def test_other_weights_are_another_cell(tmp_path: Path) -> None:
    _, plan = run(tmp_path, save=True)
    file = tmp_path / "checkpoints" / plan.cells[0].train_key / NAME
    copied = tmp_path / "weights.safetensors"
    copied.write_bytes(file.read_bytes())
    _, before = run(tmp_path, init=str(copied), **ZERO)
    _, other = run(tmp_path, save=True, shots=1)
    changed = tmp_path / "checkpoints" / other.cells[0].train_key / NAME
    copied.write_bytes(changed.read_bytes())
    _, after = run(tmp_path, init=str(copied), **ZERO)
    assert before.cells[0].key != after.cells[0].key


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ("nowhere.safetensors", "init: there are no saved weights nowhere.safetensors"),
        ("tiny#0123", "run task tiny with save=last first"),
    ],
)
def test_weights_that_are_not_there(tmp_path: Path, init: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        run(tmp_path, init=init, **ZERO)


def test_a_file_that_holds_no_weights(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"no weights")
    with pytest.raises(BadInput, match="holds no weights that"):
        run(tmp_path, init=str(file), **ZERO)
