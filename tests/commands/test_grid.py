"""`grid`: the missing cells run, the report is written; exit codes, output and the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, records

from harness.core.errors import CellError
from harness.core.protocols.launcher import Launched


def test_results_go_to_standard_output_and_messages_to_standard_error(
    tiny: WriteTask, run_cli: Call, tmp_path: Path
) -> None:
    ended = run_cli("grid", tiny(), "--jobs", 1)
    assert (ended.code, ended.out) == (0, "reports/tiny.md\n")
    lines = ended.err.splitlines()
    assert lines[0].startswith("tiny: 4 cells, 0 done, 0 failed, 4 to run (about ")
    assert any(line.startswith("cells: 4 of 4 after") for line in lines)
    assert lines[-1] == "4 cells done, 0 failed, 0 missing"
    log = (tmp_path / "runs/logs/tiny.log").read_text(encoding="utf-8").splitlines()
    assert log[0].endswith(f"python -m harness grid {tmp_path / 'tiny.yaml'}")
    assert log[1:] == lines


def test_the_files_of_a_finished_task(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    assert sorted(p.name for p in (tmp_path / "runs" / "tiny").glob("*.*")) == [
        "keys.json", "task.yaml"
    ]  # fmt: skip
    for name in ("tiny.md", "tiny.html", "tiny.tex", "tiny.csv", "tiny_contrasts.csv"):
        assert (tmp_path / "reports" / name).stat().st_size > 0
    again = cli("grid", tiny(), "seeds=1")
    assert (again.code, again.out) == (0, "reports/tiny.md\n")
    assert "tiny: 2 cells, 2 done, 0 failed, 0 to run\n" in again.err


def test_a_failed_cell_is_exit_code_1_until_it_is_run_again(
    tiny: WriteTask, cli: Call, tmp_path: Path, elsewhere: Callable[..., str]
) -> None:
    broken = {"classifier"}

    def build(inputs: Any, options: Any) -> Any:
        if broken:
            raise CellError("it diverged")
        return inputs.text()

    task = tiny(classifier=["text", elsewhere("broken", USES=("text",), build=build)], seeds=1)
    ended = cli("grid", task)
    assert (ended.code, ended.out) == (1, "reports/tiny.md\n")
    (failed,) = [k for k, r in records(tmp_path / "runs").items() if r["status"] == "failed"]
    assert ended.err.splitlines()[-2:] == [
        "1 cell done, 1 failed, 0 missing", f"failed {failed}: CellError: it diverged"
    ]  # fmt: skip
    broken.clear()
    still = cli("grid", task)
    assert still.code == 1
    assert "0 to run" in still.err
    again = cli("grid", task, "--retry-failed")
    assert again.code == 0
    assert "1 to run" in again.err
    assert {r["status"] for r in records(tmp_path / "runs").values()} == {"done"}


def test_infeasible_cells_are_no_failure(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    ended = cli("grid", tiny(classifier=["text", "lda"], seeds=1))
    assert ended.code == 0
    assert "1 cell is infeasible: lda" in ended.err
    assert len(records(tmp_path / "runs")) == 1


def test_an_interrupt_is_one_line_and_exit_code_130(
    tiny: WriteTask, cli: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.run.resources.Resources.load", interrupt)
    ended = cli("grid", tiny())
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.splitlines()[-1].startswith("interrupted; finished cells are kept")
    assert "Traceback" not in ended.err


def test_notes_come_before_the_cells_run(tiny: WriteTask, cli: Call) -> None:
    ended = cli("grid", tiny(), "seeds=1", "frames=8")
    assert ended.code == 0
    assert ended.err.splitlines()[0] == "note: frames: 8 applies to no cell of this task"


def test_cells_are_run_again(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny()).code == 0
    places = {p.stem: p.stat().st_ino for p in (tmp_path / "runs").glob("cells/*/*.json")}
    ended = cli("grid", tiny(), "--rerun", "classifier=text,seed=1")
    assert ended.code == 0
    assert ended.err.splitlines()[0] == "1 cell will run again"
    after = {p.stem: p.stat().st_ino for p in (tmp_path / "runs").glob("cells/*/*.json")}
    assert [k for k in places if places[k] != after[k]] == [
        k for k, r in records(tmp_path / "runs").items()
        if (r["cell"]["classifier"], r["cell"]["seed"]) == ("text", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--log", "jsnl"], "Did you mean 'jsonl'"),
        (["--launch", "locl"], "Did you mean 'local'"),
        (["--rerun", "classifier=txt"], "no cell of this task has these values"),
        (["--runs", "/dev/null/runs"], "/dev/null/runs"),
        (["--reports", "/dev/null/reports"], "/dev/null/reports"),
        (["--set", "cpus=2"], "belongs to --launch slurm"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_refused_before_any_cell_runs(
    arguments: list[str], words: str, tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    ended = cli("grid", tiny(), *arguments)
    assert (ended.code, ended.out) == (2, "")
    (error,) = ended.errors()
    assert words in error
    assert not list(tmp_path.glob("runs/cells/*/*"))


def test_curves_are_logged(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny(), "seeds=1", "--log", "jsonl").code == 0
    curves = (tmp_path / "runs" / "logs").glob("*.jsonl")
    assert {p.stem for p in curves} == set(records(tmp_path / "runs"))


# --- a launcher of another package ---------------------------------------------------------------


def test_what_a_launcher_says(tiny: WriteTask, cli: Call, elsewhere: Callable[..., str]) -> None:
    """Messages are results, complaints are not; cells that it left behind are missing."""
    name = elsewhere(
        "idle", submit=lambda request: Launched(("did nothing",), ("two nodes are gone",))
    )
    ended = cli("grid", tiny(), "--launch", name)
    assert (ended.code, ended.out) == (1, "did nothing\nreports/tiny.md\n")
    assert ended.err.splitlines()[-2:] == [
        "two nodes are gone",
        "0 cells done, 0 failed, 4 missing",
    ]


def test_a_detached_launcher_returns_before_there_is_a_report(
    tiny: WriteTask, cli: Call, tmp_path: Path, elsewhere: Callable[..., str]
) -> None:
    name = elsewhere("far", DETACHED=True, submit=lambda request: Launched(("submitted job 7",)))
    ended = cli("grid", tiny(), "--launch", name)
    assert (ended.code, ended.out) == (0, "submitted job 7\n")
    assert ended.err.splitlines()[-1].startswith("progress: python -m harness status tiny --watch;")
    assert not list(tmp_path.glob("reports/*"))


# --- budgets -------------------------------------------------------------------------------------


def test_above_the_budget_a_script_is_refused(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    task = tiny(seeds=1, budget={"hours": 1e-9})
    ended = cli("grid", task)
    assert (ended.code, ended.out) == (2, "")
    (error,) = ended.errors()
    assert "budget.hours" in error
    assert "core-hours (an estimate) are more than the budget" in error
    assert error.endswith("raise the budget, or add --yes")
    assert not list(tmp_path.glob("runs/cells/*/*"))
    assert cli("grid", task, "--yes").code == 0
    assert cli("grid", task).code == 0, "there is nothing to run that costs"
    assert cli("grid", tiny(seeds=2), "budget={hours: 100}").code == 0


@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", 0), ("YES\n", 0), ("no\n", 2), ("\n", 2), ("", 2)]
)
def test_on_a_terminal_it_asks(
    answer: str, code: int, tiny: WriteTask, cli: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
    ended = cli("grid", tiny(seeds=1), "classifier=text", "budget={hours: 1e-9}")
    assert ended.code == code
    assert ended.err.startswith("tiny: about ")
    assert "Continue? [y/N] " in ended.err
    assert ended.out == ("reports/tiny.md\n" if code == 0 else "")
    assert ended.err.endswith("error: nothing was launched\n") == (code == 2)
