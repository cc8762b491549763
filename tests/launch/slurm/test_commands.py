"""The commands against a SLURM of shell scripts; tests/slurm/ has a real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import hashes

from harness.commands import status as status_command
from harness.launch._job import run_batch

PROFILE = "partition: gpu\ncpus: 2\nmemory: 8G\ntime: 2h\nsetup: [module load x]\n"


@pytest.fixture
def submit(cli: Any, tiny: Any, tmp_path: Path, fake_slurm: Any) -> Any:
    """`grid --launch slurm` with a profile; two resolutions are two batches."""
    (tmp_path / "p.yaml").write_text(PROFILE)
    task = tiny(resolution=[48, 64])

    def call(*more: str, command: str = "grid") -> Any:
        return cli(command, task, "--launch", "slurm", "--profile", "p.yaml", *more)

    return call


def batches(tmp_path: Path) -> list[dict[str, Any]]:
    files = (tmp_path / "runs" / "jobs").glob("*.json")
    return sorted((json.loads(p.read_text()) for p in files), key=lambda p: str(p["id"]))


def status(cli: Any) -> dict[str, Any]:
    ended = cli("status", "tiny", "--json")
    document: dict[str, Any] = json.loads(ended.out)
    assert ended.code == (0 if document["counts"]["done"] == 8 else 3)
    return document


def test_the_plan_shows_batches_options_and_hours(submit: Any, tmp_path: Path) -> None:
    plan = submit("--set", "gpus=1", command="plan").out
    assert "2 batches of 4 cells" in plan
    assert "GPU-hours" in plan
    assert "p.yaml: --cpus-per-task=2 --gpus-per-node=1 --mem=8G" in plan
    document = json.loads(submit("--json", command="plan").out)["launch"]
    assert document["sbatch"]["partition"] == "gpu"
    assert [len(p["cells"]) for p in document["packs"]] == [4, 4]
    assert document["hours"] == document["core_hours"] > 0
    assert not (tmp_path / "runs").exists()


def test_submit_and_return(submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path) -> None:
    ended = submit()
    assert ended.code == 0, ended.err
    assert ended.out.startswith("submitted job 70: 2 batches, 8 cells (tiny-")
    (script,) = fake_slurm.submitted()
    name = batches(tmp_path)[0]["submission"]
    for line in ("--array=0-1%2", f"--job-name={name}", "--partition=gpu", "--mem=8G",
                 "--time=120", "--requeue"):  # fmt: skip
        assert f"#SBATCH {line}\n" in script
    assert "module load x" in script
    assert "PYTHONSAFEPATH" in script
    assert "wckey" not in script
    assert [p["index"] for p in batches(tmp_path)] == [0, 1]
    assert len({key for p in batches(tmp_path) for key in p["keys"]}) == 8
    assert list((tmp_path / "runs").glob("cells/*")) == []

    fake_slurm.answer("queue", f"70|0|RUNNING|None|n1|{name}", f"70|1|PENDING|Priority||{name}")
    log = tmp_path / "runs" / "logs" / name / "70_0_0_log.out"
    log.write_text("epoch 1\nsrun: a message\n")
    document = status(cli)
    assert (document["counts"]["running"], document["counts"]["waiting"]) == (4, 4)
    first = next(c for c in document["cells"] if c["status"] == "running")
    assert (first["job"], first["state"], first["node"]) == ("70_0", "RUNNING", "n1")
    assert first["tail"] == ["epoch 1", "srun: a message"]
    assert first["log"] == str(log.relative_to(tmp_path))
    shown = cli("status", "tiny").out
    assert "running: job 70_0 RUNNING on n1" in shown
    assert "70_0_0_log.out: epoch 1\n" in shown
    assert "waiting: job 70_1 PENDING: Priority" in shown

    again = submit()
    assert (again.code, again.out) == (0, "")
    assert "8 cells are in jobs" in again.err
    assert len(fake_slurm.submitted()) == 1


def test_lost_cells_are_submitted_again_and_done_ones_are_not(
    submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path
) -> None:
    submit()
    name = batches(tmp_path)[0]["submission"]
    file = tmp_path / "runs" / "jobs" / f"{name}-0.json"
    run_batch(file, tmp_path / "runs")
    fake_slurm.answer("accounts", f"70_0|COMPLETED|n1|{name}", f"70_1|TIMEOUT|n2|{name}")
    document = status(cli)
    assert (document["counts"]["done"], document["counts"]["lost"]) == (4, 4)
    lost = next(c for c in document["cells"] if c["status"] == "lost")
    assert (lost["state"], lost["job"]) == ("TIMEOUT", "70_1")
    assert submit().out.startswith("submitted job 71: 1 batch, 4 cells")

    fake_slurm.answer("accounts")  # and the second job is known to nobody
    document = status(cli)
    assert document["counts"]["lost"] == 4
    assert "does not know it" in cli("status", "tiny").out
    run_batch(next(p for p in file.parent.glob("*.json") if name not in p.name), tmp_path / "runs")
    done = submit()
    assert done.code == 0, done.err
    assert done.out == "reports/tiny.md\n"
    assert len(hashes(tmp_path / "runs")) == 8
    assert len(fake_slurm.submitted()) == 2


def test_failed_cells_are_tried_again_on_request(
    submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path
) -> None:
    submit()
    first, second = batches(tmp_path)
    for batch in (first, second):
        run_batch(tmp_path / "runs" / "jobs" / f"{batch['id']}.json", tmp_path / "runs")
    (record,) = (tmp_path / "runs" / "cells").glob(f"*/{first['keys'][0]}.json")
    data = json.loads(record.read_text())
    failed = {"status": "failed", "error": {"type": "CellError", "message": "diverged"}}
    record.write_text(json.dumps(data | failed))
    assert submit().code == 1
    assert submit("--retry-failed").out.startswith("submitted job 71: 1 batch, 1 cell")
    retry = next(p for p in batches(tmp_path) if len(p["keys"]) == 1)
    fake_slurm.answer("queue", f"71|N/A|PENDING|Resources||{retry['submission']}")
    (cell,) = [c for c in status(cli)["cells"] if c["status"] != "done"]
    assert (cell["status"], cell["job"]) == ("waiting", "71")
    assert submit("--retry-failed").out == ""
    run_batch(tmp_path / "runs" / "jobs" / f"{retry['id']}.json", tmp_path / "runs")
    assert status(cli)["counts"]["done"] == 8


def test_a_refusal_leaves_nothing(submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path) -> None:
    fake_slurm.answer("refusal", "sbatch: error: invalid partition specified: gpu")
    ended = submit()
    assert (ended.code, ended.out) == (2, "")
    assert ended.errors() == [
        "error: p.yaml: sbatch refused the job: invalid partition specified: gpu"
    ]
    assert ended.err.splitlines()[-1] == ended.errors()[0]
    assert batches(tmp_path) == []
    assert [p.name for p in (tmp_path / "runs" / "logs").iterdir()] == ["tiny.log"]
    assert status(cli)["counts"]["waiting"] == 8


def test_curves_are_written_where_they_are_asked_for(
    submit: Any, cli: Any, fake_slurm: Any, tmp_path: Path
) -> None:
    assert submit("--log", "jsonl").code == 0
    run_batch(next((tmp_path / "runs" / "jobs").glob("*-0.json")), tmp_path / "runs")
    assert len(list((tmp_path / "runs" / "logs").glob("*.jsonl"))) == 4
    ended = submit("--log", "jsnl")
    assert ended.code == 2
    assert "Did you mean 'jsonl'" in ended.errors()[0]


def test_watch_shows_what_changes_until_all_is_there(
    submit: Any, cli: Any, fake_slurm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit()
    first, second = batches(tmp_path)
    name = first["submission"]

    look = status_command._once
    looks: list[int] = []

    def then_look(args: Any) -> Any:
        looks.append(len(looks))
        if len(looks) == 2:
            fake_slurm.answer("queue", f"70|0|RUNNING|None|n1|{name}", f"70|1|PENDING|None||{name}")
        elif len(looks) == 4:
            for batch in (first, second):
                run_batch(tmp_path / "runs" / "jobs" / f"{batch['id']}.json", tmp_path / "runs")
        return look(args)

    monkeypatch.setattr(status_command, "_once", then_look)
    monkeypatch.setattr(status_command, "WATCH_SECONDS", 0.01)
    ended = cli("status", "tiny", "--watch")
    assert ended.code == 0
    counts = [line for line in ended.out.splitlines() if line.startswith("tiny:")]
    assert [c.split(" infeasible")[0] for c in counts] == [
        "tiny: 0 done, 0 failed, 0 waiting, 0 running, 8 lost, 0",
        "tiny: 0 done, 0 failed, 4 waiting, 4 running, 0 lost, 0",
        "tiny: 8 done, 0 failed, 0 waiting, 0 running, 0 lost, 0",
    ]


def test_an_interrupted_command_leaves_no_job(
    submit: Any, fake_slurm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("submitit.core.utils.JobPaths.move_temporary_file", interrupt)
    ended = submit()
    assert ended.code == 130
    assert len(fake_slurm.submitted()) == 1
    assert fake_slurm.received("cancelled").startswith("--name=tiny-")
    assert batches(tmp_path) == []
    assert list((tmp_path / "runs" / "jobs").glob("*submitting*")) == []


def test_cancel(submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path) -> None:
    submit()
    name = batches(tmp_path)[0]["submission"]
    fake_slurm.answer("queue", f"70|0|RUNNING|None|n1|{name}", f"70|1|COMPLETED|None|n1|{name}")
    ended = cli("cancel", "tiny")
    assert (ended.code, ended.out) == (0, "tiny: cancelled 1 jobs with 4 unfinished cells\n")
    assert fake_slurm.received("cancelled") == "70_0\n"


def test_slurm_that_does_not_answer(submit: Any, fake_slurm: Any, cli: Any) -> None:
    submit()
    fake_slurm.answer("down", "slurm_load_jobs error: Unable to contact slurm controller")
    ended = submit()
    assert ended.code == 2
    assert ended.errors() == ["error: squeue: Unable to contact slurm controller"]
    assert cli("cancel", "tiny").code == 2
    status = cli("status", "tiny")
    assert status.code == 3
    assert "the queue of the launcher slurm cannot be read: squeue" in status.out
    assert "8 waiting, 0 running, 0 lost" in status.out
    here = cli("grid", "tiny.yaml", "resolution=[48, 64]")
    assert here.code == 0
    assert "may run twice" in here.err


def test_inline_leaves_cells_to_jobs(
    submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path
) -> None:
    submit()
    name = batches(tmp_path)[0]["submission"]
    fake_slurm.answer("queue", f"70|0|RUNNING|None|n1|{name}")
    ended = cli("grid", "tiny.yaml", "resolution=[48, 64]")
    assert ended.code == 1
    assert "4 cells are in jobs" in ended.err
    assert len(hashes(tmp_path / "runs")) == 4


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--launch", "slurm"], "needs --profile FILE, or the name of one in slurm/: a100"),
        (["--launch", "slurm", "--profile", "tset"], "Did you mean 'test'"),
        (["--launch", "slurm", "--profile", "p.yaml", "--jobs", "2"], "--set parallel=N"),
        (["--launch", "slurm", "--profile", "p.yaml", "--set", "cpu=2"], "Did you mean 'cpus'"),
        (["--launch", "local", "--profile", "p.yaml"], "belongs to --launch slurm"),
        (["--set", "cpus=2"], "belongs to --launch slurm"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], word: str, cli: Any, tiny: Any, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(PROFILE)
    ended = cli("grid", tiny(), *arguments)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert word in ended.errors()[0]
    assert not (tmp_path / "runs").exists()


# --- budgets -------------------------------------------------------------------------------------


def test_above_the_budget_a_script_is_refused(
    submit: Any, fake_slurm: Any, cli: Any, tmp_path: Path
) -> None:
    ended = submit("budget={hours: 0.001}")
    assert ended.code == 2
    (error,) = ended.errors()
    assert "budget.hours" in error
    assert "--yes" in error
    assert fake_slurm.submitted() == []
    assert submit("budget={hours: 0.001}", "--yes").code == 0
    assert cli("grid", "tiny.yaml", "budget={hours: 1e-9}").code == 2
    assert cli("grid", "tiny.yaml", "budget={hours: 100}").code == 0


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("no\n", 2), ("", 2)])
def test_on_a_terminal_it_asks(
    answer: str, code: int, submit: Any, fake_slurm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
    ended = submit("budget={hours: 0.001}")
    assert ended.code == code
    assert "Continue? [y/N]" in ended.err
    assert len(fake_slurm.submitted()) == (code == 0)


@pytest.mark.parametrize("budget", ["{}", "{hours: 0}", "{hours: two}", "{hour: 1}"])
def test_a_budget_that_is_none(budget: str, cli: Any, tiny: Any) -> None:
    ended = cli("plan", tiny(), f"budget={budget}")
    assert ended.code == 2
    assert "budget" in ended.errors()[0]
