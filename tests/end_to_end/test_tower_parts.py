"""Numbers of trained parts of towers depend on the task alone: not on jobs, workers, processes,
micro-batches, or an interruption in either of two stages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import plan_of, run_study
from encoders import tiny

from harness.core.records import Record
from harness.core.store import Store
from harness.run.runner import run_cells

from .lab import die_at_save
from .processes import ended, start

#: Two epochs of three steps, of which the first four steps have adapters with dropout.
STAGES = [
    {"share": 0.6, "tuning": {"lora": {"dropout": 0.5}}},
    {"share": 0.4, "tuning": "norm", "recipe": {"lr": 1e-3}},
]
RECIPE = {
    "lr": 1e-2, "weight_decay": 0.01, "warmup_epochs": 0, "batch": 4, "iterations": 7,
    "dropout": 0.2, "augment": "crop_flip", "optimiser": "sgd",
}  # fmt: skip


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("parts")
    return {
        "name": "parts", "dataset": tiny.pictures(root / "pictures"), "regime": "full",
        "encoder": f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}",
        "classifier": "text", "text_tower": "online", "stages": STAGES, "recipe": RECIPE,
        "seeds": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(task: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Record:
    return run_study(task, tmp_path_factory.mktemp("undisturbed")).records[0]


def losses(record: Record) -> list[float]:
    return [point["loss"] for point in record.curve]


def test_both_stages_train_at_rates_of_their_own(undisturbed: Record) -> None:
    assert undisturbed.diagnostics["steps"] == 7
    assert [(p["stage"], p["epoch"]) for p in undisturbed.curve] == [(1, 1), (1, 2), (2, 3)]
    assert not any("nothing" in warning for warning in undisturbed.warnings)


def test_jobs_and_workers_change_no_number(
    task: dict[str, Any], undisturbed: Record, tmp_path: Path
) -> None:
    for number, changes in enumerate(({"workers": 0}, {"workers": 2})):
        ran = run_study(task, tmp_path / str(number), jobs=2, seeds=2, loader=changes)
        assert ran.records[0].science_hash == undisturbed.science_hash
        assert ran.records[1].science_hash != undisturbed.science_hash


def test_micro_batches_change_the_order_of_sums_alone(
    task: dict[str, Any], undisturbed: Record, tmp_path: Path
) -> None:
    """The masks of the adapters are those of the samples, whichever batch they are in."""
    (record,) = run_study(task, tmp_path, recipe=RECIPE | {"micro_batch": 1}).records
    assert losses(record) == pytest.approx(losses(undisturbed), rel=1e-5)


@pytest.mark.parametrize(
    "saves", [2, 5, 6, 8], ids=["in the first", "at its end", "begins", "in the second"]
)
def test_a_killed_cell_goes_on_in_its_stage(
    task: dict[str, Any],
    undisturbed: Record,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saves: int,
) -> None:
    made = die_at_save(monkeypatch, saves)
    plan, store = plan_of(task, tmp_path), Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_cells(plan.cells, store)
    assert store.read(plan.cells[0].key) is None
    (record,) = run_study(task, tmp_path).records
    of_first = [("0-0", 0, 0), ("0-0", 0, 1), ("0-0", 0, 2), ("0-0", 1, 0), ("0-0", 2, 0)]
    of_second = [("0-1", 0, step) for step in range(3)]
    assert made[:saves] == [*of_first, *of_second][:saves]
    assert made[saves:].count(("0-0", 0, 0)) == 0, "no step is made again"
    assert record.science_hash == undisturbed.science_hash
    assert not (store.root / "checkpoints" / plan.cells[0].train_key).exists()


def test_two_processes_end_as_one(
    task: dict[str, Any], undisturbed: Record, tmp_path: Path
) -> None:
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(task))
    ended(start(tmp_path, [undisturbed.key]), 0)
    shared = Store(tmp_path / "runs").read(undisturbed.key)
    assert shared is not None
    assert shared.status == "done", shared.error
    assert losses(shared) == pytest.approx(losses(undisturbed), abs=1e-5)
