"""Tuning the whole backbone: it trains, and a killed cell ends as an undisturbed one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of, run_study

from harness.core.records import Record
from harness.core.store import Store
from harness.run.runner import run_cells

from .lab import die_at_save

TASK: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 2,
    "classes": {"pick": 4, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "tuning": "all",
    "resolution": 32,
    "recipe": {"lr": 5e-5, "epochs": 4, "batch": 4, "warmup_epochs": 0, "dropout": 0.2},
    "seeds": 1,
}


def run(runs: Path, **changes: Any) -> Record:
    (record,) = run_study(TASK, runs, **changes).records
    return record


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return run(tmp_path_factory.mktemp("undisturbed"))


def test_the_backbone_is_trained(undisturbed: Record) -> None:
    assert undisturbed.curve[-1]["loss"] < undisturbed.curve[0]["loss"]
    assert undisturbed.cost["params"] > 3_000_000
    assert undisturbed.cost["flops_per_view"] > 1_000_000
    assert undisturbed.cost["trainings"] == 1


def test_a_killed_cell_goes_on_in_the_middle_of_an_epoch(
    tmp_path: Path, undisturbed: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps an epoch: killed at the second of the second, behind dropout and sums of losses."""
    steps = die_at_save(monkeypatch, 4)
    plan, store = plan_of(TASK, tmp_path), Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_cells(plan.cells, store)
    assert store.read(plan.cells[0].key) is None
    folder = store.root / "checkpoints" / plan.cells[0].train_key
    assert (folder / "0.pt").is_file()
    record = run(tmp_path)
    made = [(epoch, step) for _, epoch, step in steps]
    assert made[:4] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert made[4:] == [(1, 1), (2, 0), (2, 1), (3, 0), (3, 1)], "no step is made again"
    assert record.science_hash == undisturbed.science_hash
    assert not folder.exists()


@pytest.mark.parametrize("paradigm", ["vision_text", "matching"])
def test_the_number_of_workers_changes_no_number(tmp_path: Path, paradigm: str) -> None:
    recipe = {**TASK["recipe"], "augment": "crop_flip", "micro_batch": 3, "epochs": 2}
    hashes = {
        run(
            tmp_path / str(workers), paradigm=paradigm, recipe=recipe, loader={"workers": workers}
        ).science_hash
        for workers in (0, 1, 3)
    }
    assert len(hashes) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"paradigm": "vision_only"}, {"paradigm": "matching"}, {"classifier": "prototype"},
        {"recipe": {**TASK["recipe"], "precision": "bfloat16", "micro_batch": 2, "epochs": 1}},
    ],
    ids=["vision_only", "matching", "prototype", "bfloat16_micro_batches"],
)  # fmt: skip
def test_every_kind_of_head_tunes_the_backbone(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A classifier made of the support set sees pretrained features."""
    record = run(tmp_path, **changes)
    assert record.diagnostics["steps"] > 0
    assert record.cost["params"] > 3_000_000
