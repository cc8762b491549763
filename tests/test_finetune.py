"""Tuning the whole backbone: it trains, and a killed cell ends as an undisturbed one."""

from pathlib import Path
from typing import Any

import pytest

from harness.core.store import Store
from harness.plan.plan import Plan, make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate
from harness.training.checkpoint import Checkpoint

TASK: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 2,
    "classes": {"pick": 4, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "tuning": "all",
    "resolution": 32,
    "recipe": {"lr": 5e-5, "epochs": 4, "batch": 8, "warmup_epochs": 0, "dropout": 0.2},
    "seeds": 1,
}


def planned(root: Path, **changes: Any) -> tuple[Store, Plan]:
    store = Store(root)
    return store, make_plan(expand(validate({**TASK, **changes}, "t.yaml")), store)


def run(root: Path, **changes: Any) -> list[Any]:
    store, plan = planned(root, **changes)
    run_cells(plan.missing(), store)
    return [store.read(p.key) for p in plan.cells]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run(tmp_path_factory.mktemp("undisturbed"))[0]


def test_the_backbone_is_trained(undisturbed: Any) -> None:
    assert undisturbed.status == "done", undisturbed.error
    assert undisturbed.curve[-1]["loss"] < undisturbed.curve[0]["loss"]
    assert undisturbed.cost["params"] > 3_000_000
    assert undisturbed.cost["flops_per_view"] > 1_000_000


def test_a_killed_cell_goes_on_from_its_last_epoch(
    tmp_path: Path, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    whole = Checkpoint.save

    def save_then_die(self: Checkpoint, *given: Any) -> None:
        whole(self, *given)
        saved.append(len(given[2]["curve"]))
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_then_die)
    assert run(tmp_path) == [None]
    store, plan = planned(tmp_path)
    place = store.root / "checkpoints" / plan.cells[0].train_key
    assert (place / "0.pt").is_file()
    (record,) = run(tmp_path)
    assert saved == [1, 2, 3, 4]  # the first two epochs were not trained again
    assert record.science_hash == undisturbed.science_hash
    assert not place.exists()


@pytest.mark.parametrize("paradigm", ["vision_only", "matching"])
def test_other_paradigms_tune_the_backbone_too(tmp_path: Path, paradigm: str) -> None:
    (record,) = run(tmp_path, paradigm=paradigm)
    assert record.status == "done", record.error


def test_the_classifier_from_the_support_set_sees_pretrained_features(tmp_path: Path) -> None:
    (record,) = run(tmp_path, classifier="prototype")
    assert record.status == "done", record.error


def test_lower_precision_and_micro_batches_run(tmp_path: Path) -> None:
    recipe = {**TASK["recipe"], "precision": "bfloat16", "micro_batch": 2, "epochs": 1}
    (record,) = run(tmp_path, recipe=recipe)
    assert record.status == "done", record.error
