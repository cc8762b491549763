from pathlib import Path
from typing import Any

import pytest

from harness.core.store import Store
from harness.launch import inline, local
from harness.plan.plan import make_plan
from harness.run.runner import Events
from harness.task.grid import expand
from harness.task.read import validate

TASK: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "classes": {"pick": 5, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "classifier": ["text", "random"],
    "recipe": {"lr": 1e-3, "epochs": 2, "warmup_epochs": 0},
    "resolution": 64,
    "seeds": 2,
}


def run(launcher: Any, root: Path, jobs: int) -> dict[str, str | None]:
    task = validate(TASK, "t.yaml")
    store = Store(root)
    plan = make_plan(expand(task), store)
    told: list[str] = []
    events = Events(cell=lambda planned, status: told.append(status))
    assert launcher.launch(plan.missing(), store, task, jobs, events) == []
    assert told == ["done"] * 4
    records = [store.read(p.key) for p in plan.cells]
    return {r.key: r.science_hash for r in records if r is not None}


@pytest.fixture(scope="module")
def inline_hashes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    return run(inline, tmp_path_factory.mktemp("inline"), 2)


def test_the_number_of_threads_changes_no_bit(
    tmp_path: Path, inline_hashes: dict[str, str | None]
) -> None:
    assert run(inline, tmp_path, 1) == inline_hashes


@pytest.mark.slow
def test_processes_of_submitit_give_the_same_records(
    tmp_path: Path, inline_hashes: dict[str, str | None]
) -> None:
    assert run(local, tmp_path, 2) == inline_hashes
    (job, *_) = (tmp_path / "jobs").glob("*.json")
    assert "tiny" in job.read_text()


@pytest.mark.slow
def test_a_job_that_dies_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", "/dev/null/no-cache")
    task = validate(TASK, "t.yaml")
    store = Store(tmp_path)
    monkeypatch.undo()
    plan = make_plan(expand(task), store)
    monkeypatch.setenv("HARNESS_CACHE", "/dev/null/no-cache")
    (complaint,) = local.launch(plan.missing(), store, task, 1, Events())
    assert "left 4 of 4 cells" in complaint
    assert "log:" in complaint
