"""Commands around a finished study: again, under its name, beside another grid of that name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, hashes, records

from harness.core.words import plural

#: Key -> what a Record's file would not keep if it was written again.
Stamps = dict[str, tuple[int, int]]


def stamps(runs: Path) -> Stamps:
    return {p.stem: (p.stat().st_ino, p.stat().st_mtime_ns) for p in runs.glob("cells/*/*.json")}


@pytest.fixture
def ran(cli: Call, tiny: WriteTask) -> str:
    """TINY, run: its file."""
    task = tiny()
    assert cli("grid", task).code == 0
    return task


@pytest.mark.parametrize(
    ("where", "number"), [("classifier=text,seed=1", 1), ("seed=0", 2), ("shots=[1,2]", 4)]
)
def test_rerun_replaces_what_matches_and_nothing_else(
    cli: Call, ran: str, tmp_path: Path, where: str, number: int
) -> None:
    runs = tmp_path / "runs"
    before, wanted = stamps(runs), hashes(runs)
    ended = cli("grid", ran, "--rerun", where)
    assert ended.code == 0
    assert f"{plural(number, 'cell')} will run again" in ended.err
    after = stamps(runs)
    assert sum(after[key] != before[key] for key in before) == number
    assert hashes(runs) == wanted


def test_an_interrupted_rerun_loses_no_finished_cell(
    cli: Call, ran: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stamps(tmp_path / "runs")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.run.resources.Resources.load", die)
    assert cli("grid", ran, "--rerun", "seed=0").code == 130
    assert stamps(tmp_path / "runs") == before


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("classifier=txt", "no cell of this task has these values"),
        ("clasifier=text", "there is no such axis"),
        ("classifier", "is not of the form axis=value"),
    ],
)
def test_rerun_of_nothing_is_an_error(cli: Call, ran: str, where: str, words: str) -> None:
    ended = cli("grid", ran, "--rerun", where)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.errors()) == 1


def test_a_finished_study_is_known_by_its_name(cli: Call, ran: str, tmp_path: Path) -> None:
    Path(ran).unlink()
    assert cli("status", "tiny").code == 0
    everything = cli("status", "--json")
    assert everything.code == 0
    assert [d["task"] for d in json.loads(everything.out)] == ["tiny"]
    assert cli("report", "tiny").code == 0
    assert cli("grid", "tiny").code == 2, "only what was run can be asked for so"


def test_another_grid_under_the_name_is_noted_once(cli: Call, ran: str) -> None:
    assert "those of another grid" in cli("grid", ran, "seeds=1").err
    assert "those of another grid" not in cli("grid", ran, "seeds=1").err


def test_a_reference_that_is_no_row_is_noted(cli: Call, ran: str) -> None:
    ended = cli("grid", ran, "report.reference=randm")
    assert ended.code == 0
    assert "is no row of this grid" in ended.err
    assert "Did you mean 'random'" in ended.err


def test_equal_cells_of_two_tasks_run_once(
    cli: Call, ran: str, tiny: WriteTask, tmp_path: Path
) -> None:
    before = stamps(tmp_path / "runs")
    ended = cli("grid", tiny("other.yaml", name="other", shots=[1, 2]))
    assert ended.code == 0
    assert "8 cells, 4 done, 0 failed, 4 to run" in ended.err
    after = stamps(tmp_path / "runs")
    assert {key: after[key] for key in before} == before
    assert len(records(tmp_path / "runs")) == 8
