"""`status`: how far a task is, from Records and from the jobs of launchers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, plan_of

from harness.commands import status as status_command
from harness.core.errors import CellError
from harness.core.protocols.launcher import CellJob, JobReport

COUNTS = {"done": 0, "failed": 0, "waiting": 0, "running": 0, "lost": 0, "infeasible": 0}


def job(**changes: Any) -> CellJob:
    """A job that runs, with fields replaced."""
    fields: dict[str, Any] = {
        "batch": "tiny-0", "task": "tiny", "submitted": 5.0, "live": True, "waiting": False,
        "over": False, "reason": "job 7 RUNNING on n1", "id": "7", "state": "RUNNING",
        "node": "n1", "log": Path("7.log"), "tail": ("epoch 1", "srun: a message"),
    }  # fmt: skip
    return CellJob(**fields | changes)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set which jobs the launchers know; and why a queue could not be read, and whose it is."""

    def know(jobs: dict[str, CellJob], *problem: str) -> None:
        monkeypatch.setattr("harness.study.job_report", lambda *_: JobReport(jobs, *problem))

    return know


def keys(tmp_path: Path) -> list[str]:
    return [c.key for c in plan_of(tmp_path / "tiny.yaml", tmp_path / "runs").cells]


# --- exit codes ----------------------------------------------------------------------------------


def test_missing_cells_are_exit_code_3_and_done_ones_0(tiny: WriteTask, cli: Call) -> None:
    ended = cli("status", tiny())
    assert (ended.code, ended.err) == (3, "")
    assert ended.out == (
        "tiny: 0 done, 0 failed, 4 waiting, 0 running, 0 lost, 0 infeasible\n"
    )  # fmt: skip
    assert cli("grid", tiny(), "seeds=1").code == 0
    assert cli("status", tiny()).code == 3
    assert cli("status", tiny(), "seeds=1").code == 0


def test_failed_cells_are_exit_code_1(
    tiny: WriteTask, cli: Call, tmp_path: Path, elsewhere: Callable[..., str]
) -> None:
    def build(inputs: Any, options: Any) -> Any:
        raise CellError("it diverged")

    task = tiny(classifier=elsewhere("broken", USES=("text",), build=build), seeds=1)
    assert cli("grid", task).code == 1
    ended = cli("status", task)
    (key,) = keys(tmp_path)
    assert ended.code == 1
    assert ended.out.splitlines()[1:] == [f"  failed {key}: CellError: it diverged"]
    (cell,) = json.loads(cli("status", task, "--json").out)["cells"]
    assert (cell["status"], cell["reason"]) == ("failed", "CellError: it diverged")


# --- tasks ---------------------------------------------------------------------------------------


def test_a_name_is_that_of_the_task_as_it_was_run(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    (tmp_path / "tiny.yaml").unlink()
    ended = cli("status", "tiny")
    assert (ended.code, ended.out.split(":")[1].split(",")[0]) == (0, " 2 done")


def test_without_a_task_every_task_that_was_run(tiny: WriteTask, cli: Call) -> None:
    assert cli("status").code == 0
    assert json.loads(cli("status", "--json").out) == []
    for name, changes in (("two", {"seeds": 1}), ("one", {"seeds": 1, "shots": [1, 2]})):
        assert cli("grid", tiny(f"{name}.yaml", name=name, **changes)).code == 0
    ended = cli("status", "--json")
    assert [d["task"] for d in json.loads(ended.out)] == ["one", "two"]
    assert [line.split(",")[0] for line in cli("status").out.splitlines()] == [
        "one: 4 done", "two: 2 done"
    ]  # fmt: skip


# --- jobs ----------------------------------------------------------------------------------------


def test_json_has_the_keys_that_scripts_read(
    tiny: WriteTask, cli: Call, tmp_path: Path, jobs: Callable[..., None]
) -> None:
    tiny()
    running, waiting, lost, alone = keys(tmp_path)
    pending = {"waiting": True, "state": "PENDING", "node": None, "log": None, "tail": ()}
    dead = {"live": False, "state": "TIMEOUT", "reason": "job 9 TIMEOUT", "batch": "tiny-2"}
    jobs({running: job(), waiting: job(**pending), lost: job(**dead)})
    ended = cli("status", "tiny.yaml", "--json")
    assert (ended.code, ended.err) == (3, "")
    document = json.loads(ended.out)
    assert list(document) == ["task", "counts", "cells"]
    assert document["counts"] == COUNTS | {"waiting": 2, "running": 1, "lost": 1}
    cells = {c["key"]: c for c in document["cells"]}
    named = ["pack", "job", "state", "node", "submitted", "log", "tail"]
    for key in (running, waiting, lost):
        assert list(cells[key]) == ["key", "status", "cell", "reason", *named]
    assert list(cells[alone]) == ["key", "status", "cell"]
    assert [cells[running][name] for name in named] == [
        "tiny-0", "7", "RUNNING", "n1", 5.0, "7.log", ["epoch 1", "srun: a message"]
    ]  # fmt: skip
    assert [cells[waiting][name] for name in ("status", "node", "log")] == ["waiting", None, None]
    assert (cells[lost]["status"], cells[lost]["reason"]) == ("lost", "job 9 TIMEOUT")


def test_text_has_a_line_for_each_batch_and_state_with_the_end_of_its_log(
    tiny: WriteTask, cli: Call, tmp_path: Path, jobs: Callable[..., None]
) -> None:
    tiny(seeds=3)
    six = keys(tmp_path)
    pending = job(batch="tiny-1", waiting=True, reason="job 8 PENDING: Priority")
    jobs(dict.fromkeys(six[:5], job()) | {six[5]: pending})
    assert cli("status", "tiny.yaml").out.splitlines()[1:] == [
        f"  running: job 7 RUNNING on n1: {' '.join(six[:3])} and 2 more",
        "    7.log: epoch 1",
        f"  waiting: job 8 PENDING: Priority: {six[5]}",
    ]


def test_a_queue_that_cannot_be_read_makes_no_cell_lost(
    tiny: WriteTask, cli: Call, tmp_path: Path, jobs: Callable[..., None]
) -> None:
    tiny(classifier="text", seeds=1)
    (key,) = keys(tmp_path)
    jobs({key: job(live=False, state="UNKNOWN")}, "squeue: no answer", "pbs")
    ended = cli("status", "tiny.yaml")
    assert ended.code == 3
    first, second, third = ended.out.splitlines()
    assert "1 waiting, 0 running, 0 lost" in first
    assert second == "  the queue of the launcher pbs cannot be read: squeue: no answer"
    assert third == f"  waiting: squeue: no answer: {key}"
    document = json.loads(cli("status", "tiny.yaml", "--json").out)
    assert (document["problem"], document["launcher"]) == ("squeue: no answer", "pbs")


def test_a_cell_that_ended_meanwhile_is_no_lost_cell(
    tiny: WriteTask, cli: Call, tmp_path: Path, jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its Record was written after the plan looked for it."""
    tiny(classifier="text", seeds=1)
    (key,) = keys(tmp_path)
    jobs({key: job(live=False, over=True)})
    answers = iter([{}, {key: "done"}])
    monkeypatch.setattr("harness.core.store.Store.statuses", lambda *_: next(answers))
    ended = cli("status", "tiny.yaml", "--json")
    assert ended.code == 0
    (cell,) = json.loads(ended.out)["cells"]
    assert (cell["status"], "job" in cell) == ("done", False)


# --- --watch -------------------------------------------------------------------------------------


@pytest.fixture
def sequence(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the (text, exit code) that one look after the other gives; nobody waits in between."""

    def give(*looks: tuple[str, int]) -> None:
        answers = iter(looks)
        monkeypatch.setattr(status_command, "_once", lambda _: next(answers))
        monkeypatch.setattr(status_command, "WATCH_SECONDS", 0.0)

    return give


@pytest.mark.parametrize("code", [0, 1])
def test_watch_shows_what_changes_until_nothing_is_missing(
    code: int, cli: Call, sequence: Callable[..., None]
) -> None:
    sequence(("1 of 2", 3), ("1 of 2", 3), ("2 of 2", code))
    ended = cli("status", "tiny", "--watch")
    assert (ended.code, ended.out) == (code, "1 of 2\n2 of 2\n")


def test_without_watch_one_look(cli: Call, sequence: Callable[..., None]) -> None:
    sequence(("1 of 2", 3))
    assert cli("status", "tiny").code == 3


def test_watch_clears_a_terminal_before_what_is_new(
    cli: Call, sequence: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    sequence(("1 of 2", 3), ("2 of 2", 0))
    assert cli("status", "tiny", "--watch").out == "1 of 2\n\x1b[2J\x1b[H2 of 2\n"
