"""Training on one dataset and testing on several; a dataset that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import run_study

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.run.runner import run_cells
from tests.encoders import tiny


@pytest.fixture
def sets(tmp_path: Path) -> list[str]:
    """One to train on and three to test on."""
    return [tiny.pictures(tmp_path / name, per_class=2 + n) for n, name in enumerate("abcd")]


@pytest.mark.parametrize("tuning", ["projection", "all"])
def test_three_test_sets_train_each_cell_once(tmp_path: Path, sets: list[str], tuning: str) -> None:
    encoder = f"open_clip:{tiny.open_clip_model(tmp_path / 'vit', tiny.VIT)}"
    task: dict[str, Any] = {
        "name": "cross", "dataset": sets[0], "regime": "zero_shot", "train_classes": {},
        "test_dataset": sets[1:], "encoder": encoder, "classifier": ["text", "random"],
        "tuning": tuning, "seeds": 2, "allow": "shared_classes",
        "recipe": {"epochs": 2, "batch": 6, "lr": 1e-3, "warmup_epochs": 0},
    }  # fmt: skip
    done = run_study(task, tmp_path / "runs", jobs=2).records
    assert len(done) == 2 * 2 * 3  # classifiers, seeds, test sets
    assert len({r.train_key for r in done}) == 4
    assert sum(r.cost["trainings"] for r in done) == 4
    by_training: dict[str, list[Any]] = {}
    for r in done:
        by_training.setdefault(str(r.train_key), []).append(r)
    for family in by_training.values():
        assert len({r.cell["test_dataset"] for r in family}) == 3
        assert len({r.support for r in family}) == 1
        assert [r.cost["trainings"] for r in family].count(1) == 1
        assert len({str(r.curve) for r in family}) == 1


def test_a_data_set_that_cannot_be_read_fails_its_own_cells(
    tmp_path: Path, sets: list[str]
) -> None:
    bad = Path(sets[1].partition(":")[2])
    picture = sorted(bad.rglob("test/*/*.png"))[0]
    picture.write_bytes(picture.read_bytes()[:40])
    encoder = f"open_clip:{tiny.open_clip_model(tmp_path / 'vit', tiny.VIT)}"
    task: dict[str, Any] = {
        "name": "two", "dataset": sets[:2], "regime": "full", "encoder": encoder,
        "classifier": ["text", "random"], "seeds": 1, "recipe": {"epochs": 1},
    }  # fmt: skip
    ran = run_study(task, tmp_path / "runs", failing=True)
    for resolved, record in zip(ran.plan.cells, ran.records, strict=True):
        good = resolved.cell.dataset.name == sets[0]
        assert record.status == ("done" if good else "failed")
        assert good or picture.name in (record.error or {})["message"]
    alone = [c for c in ran.plan.cells if c.cell.dataset.name == sets[1]]
    with pytest.raises(BadInput, match=picture.name):
        run_cells(alone, Store(tmp_path / "other"))
