"""What fails in one of several processes fails in all; they go on with the next cell together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Ran, plan_of, run_study
from encoders import tiny

from harness.core.records import Record
from harness.core.store import Store

from .processes import ended, start, task

PROGRAM = "tests.end_to_end.failing_process"
OF_PROCESS_1 = "in process 1 of 2: "


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two processes read a micro-batch in each of three steps of an epoch, with a worker each."""
    encoder = tiny.open_clip_model(tmp_path_factory.mktemp("vit"), tiny.VIT)
    shared = task(f"open_clip:{encoder}") | {"seeds": 6, "loader": {"workers": 1}}
    shared["recipe"] |= {"batch": 4, "micro_batch": 2}
    return shared


@pytest.fixture(scope="module")
def undisturbed(study: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run_study(study, tmp_path_factory.mktemp("one"))


def assert_equal(found: Record | None, alone: Record) -> None:
    assert found is not None
    assert found.status == "done", found.error
    losses = [[point["loss"] for point in record.curve] for record in (found, alone)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert found.test == alone.test
    assert found.nll == pytest.approx(alone.nll, abs=1e-4)


def test_what_fails_in_one_process(study: dict[str, Any], undisturbed: Ran, tmp_path: Path) -> None:
    """A killed worker, an evaluation and a build fail their cells alone; a picture that cannot be
    read and a full disk end the run, in both processes. Afterwards the rest runs as ever.
    """
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(study))
    alone, store = undisturbed.records, Store(tmp_path / "runs")
    keys = [record.key for record in alone]
    faults = "0=worker,2=evaluation,3=build,5=picture"
    printed = ended(start(tmp_path, keys, (PROGRAM, faults)), 2)
    for _, errors in printed:
        assert f"error: {OF_PROCESS_1}cannot read clip.mp4\n" in errors
        assert "Traceback" not in errors
    found = [store.read(key) for key in keys]
    assert_equal(found[1], alone[1])
    assert_equal(found[4], alone[4])
    assert found[5] is None
    for seed, reason in (
        (0, "a process that reads data was killed ("),
        (2, "RuntimeError: odd"),
        (3, "there is no model"),
    ):
        failed = found[seed]
        assert failed is not None
        assert failed.error is not None
        assert failed.error["type"] == "CellError"
        assert failed.error["message"].startswith(OF_PROCESS_1 + reason)

    rest = [keys[seed] for seed in (0, 2, 5)]
    printed = ended(start(tmp_path, rest, (PROGRAM, "2=record")), 1)
    for _, errors in printed:
        assert "error: in process 0 of 2: no space left\n" in errors
    assert store.statuses(rest) == {keys[0]: "done", keys[2]: "failed"}

    rest = [keys[seed] for seed in (2, 3, 5)]
    ended(start(tmp_path, rest), 0)
    for key, record in zip(keys, alone, strict=True):
        assert_equal(store.read(key), record)


def test_a_trial_that_fails_in_one_process_fails_in_all(
    study: dict[str, Any], tmp_path: Path
) -> None:
    searching = study | {
        "seeds": 1, "val": 1, "selection": "val", "search": {"recipe.lr": [1e-2, 1e-3]}
    }  # fmt: skip
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(searching))
    (alone,) = run_study(searching, tmp_path / "one").records
    (planned,) = plan_of(searching, tmp_path / "runs").cells
    ended(start(tmp_path, [planned.key], (PROGRAM, "0=search")), 0)
    found = Store(tmp_path / "runs").read(planned.key)
    assert found is not None
    assert found.status == "done", found.error
    first, second = found.diagnostics["search"]
    assert first["error"] == f"{OF_PROCESS_1}RuntimeError: odd"
    assert found.diagnostics["chosen"] == second["config"] == {"lr": 1e-3}
    expected = alone.diagnostics["search"][1]
    assert second["val_nll"] == pytest.approx(expected["val_nll"], abs=1e-4)
