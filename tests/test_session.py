"""Commands around a finished study: again, under its name, beside another grid of that name."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def ran(cli: Any, tiny: Any) -> str:
    task = tiny()
    assert cli("grid", task).code == 0
    return task


def hashes(runs: Path) -> dict[str, tuple[str, int]]:
    return {
        p.stem: (json.loads(p.read_text())["science_hash"], p.stat().st_mtime_ns)
        for p in (runs / "cells").rglob("*.json")
    }


def test_rerun_replaces_what_matches_and_nothing_else(cli: Any, ran: str, tmp_path: Path) -> None:
    before = hashes(tmp_path / "runs")
    assert cli("grid", ran, "--rerun", "seed=0").code == 0
    after = hashes(tmp_path / "runs")
    assert {k: h for k, (h, _) in after.items()} == {k: h for k, (h, _) in before.items()}
    assert sum(after[k][1] != before[k][1] for k in after) == 2


def test_an_interrupted_rerun_loses_no_finished_cell(
    cli: Any, ran: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hashes(tmp_path / "runs")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.run.runner.train_cell", die)
    cli("grid", ran, "--rerun", "seed=0")
    assert hashes(tmp_path / "runs") == before


def test_rerun_of_nothing_is_an_error(cli: Any, ran: str) -> None:
    ended = cli("grid", ran, "--rerun", "classifier=txt")
    assert ended.code == 2
    assert "no cell of this task has these values" in ended.err


def test_a_finished_study_is_known_by_its_name(cli: Any, ran: str, tmp_path: Path) -> None:
    name = next((tmp_path / "runs").glob("*/task.yaml")).parent.name
    assert cli("status", name).code == 0
    everything = cli("status", "--json")
    assert everything.code == 0
    assert [d["task"] for d in json.loads(everything.out)] == [name]
    assert cli("report", name).code == 0


def test_another_grid_under_the_name_is_told(cli: Any, ran: str) -> None:
    ended = cli("grid", ran, "seeds=1")
    assert "those of another grid" in ended.err
    assert "those of another grid" not in cli("grid", ran, "seeds=1").err


def test_a_reference_that_is_no_row_is_told(cli: Any, ran: str) -> None:
    ended = cli("grid", ran, "report.reference=randm")
    assert "is no row of this grid" in ended.err
    assert "Did you mean 'random'" in ended.err


def test_slurm_needs_a_profile(cli: Any, ran: str) -> None:
    ended = cli("grid", ran, "--launch", "slurm")
    assert ended.code == 2
    assert "--profile" in ended.err
