"""`plan`: what would run, as text and as JSON; nothing is written and nothing runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Call, Ended, WriteTask

from harness.commands.plan import describe
from harness.core.protocols.launcher import Forecast, LaunchOptions
from harness.plan.estimate import Work
from harness.run.request import open_launcher
from harness.study import open_study
from harness.training.device import GPU_FILES, RESERVES


def document(ended: Ended) -> dict[str, Any]:
    """What `--json` printed: one document, and nothing beside it."""
    assert (ended.code, ended.err) == (0, "")
    printed: dict[str, Any] = json.loads(ended.out)
    return printed


def test_json_has_the_names_of_recipes(tiny: WriteTask, cli: Call) -> None:
    """A list, as a cell runs once for all the names of its recipe; nothing without names."""
    recipe = [{"name": "a", "lr": 1e-3}, {"name": "b", "by": {"text": {"lr": 1e-3}}}]
    path = tiny(recipe=recipe, classifier=["text", "random"], seeds=1, shots=1)
    plan = document(cli("plan", path, "--json"))
    found = [(c["cell"]["classifier"], c["recipes"]) for c in plan["cells"]]
    assert found == [("text", ["a", "b"]), ("random", ["a"]), ("random", ["b"])]
    plain = document(cli("plan", tiny(), "--json"))
    assert not any("recipes" in c for c in plain["cells"])


def test_json_has_the_keys_that_scripts_read(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    plan = document(cli("plan", tiny(), "--json"))
    assert list(plan) == [
        "task", "counts", "seconds", "work", "launch", "notes", "cells", "infeasible"
    ]  # fmt: skip
    assert list(plan["work"]) == [
        "features", "texts", "training", "evaluation", "images", "missing_texts",
        "speeds",
    ]  # fmt: skip
    assert plan["seconds"] == pytest.approx(sum(list(plan["work"].values())[:4]))
    assert plan["task"] == "tiny"
    assert plan["counts"] == {"done": 0, "failed": 0, "waiting": 4, "infeasible": 0}
    assert plan["seconds"] > 0
    assert plan["launch"] == {"hours": plan["seconds"] / 3600, "unit": "core-hours"}
    assert all(list(c) == ["key", "train_key", "status", "cell"] for c in plan["cells"])
    assert len({c["key"] for c in plan["cells"]}) == 4
    assert {c["status"] for c in plan["cells"]} == {"waiting"}
    assert not (tmp_path / "runs").exists()


def test_text(tiny: WriteTask, cli: Call) -> None:
    ended = cli("plan", tiny(classifier=["text", "lda"], seeds=1))
    assert (ended.code, ended.err) == (0, "")
    first, estimated, second = ended.out.splitlines()
    assert estimated.startswith("  estimated: ")
    assert estimated.endswith(" s evaluation")
    assert first.startswith("tiny: 1 cell, 0 done, 0 failed, 1 to run (about ")
    assert second.startswith("  1 cell is infeasible: lda: ")


def test_it_says_what_grid_says_of_the_task(tiny: WriteTask, cli: Call) -> None:
    note = "frames: 8 applies to no cell of this task"
    assert f"  note: {note}" in cli("plan", tiny(frames=8)).out
    assert json.loads(cli("plan", tiny(frames=8), "--json").out)["notes"] == [note]


def test_infeasible_cells_have_their_reason(tiny: WriteTask, cli: Call) -> None:
    plan = document(cli("plan", tiny(classifier=["text", "lda"], seeds=1), "--json"))
    assert plan["counts"]["infeasible"] == 1
    (infeasible,) = plan["infeasible"]
    assert infeasible["cell"]["classifier"] == "lda"
    assert "2 samples" in infeasible["reason"]


def test_overrides_mean_what_yaml_means(tiny: WriteTask, cli: Call) -> None:
    path = tiny()
    plan = document(
        cli("plan", path, "shots=[1,2]", "recipe.lr=5e-4", "classes.pick=3", "--json")
    )  # fmt: skip
    cells = [c["cell"] for c in plan["cells"]]
    assert {c["shots"] for c in cells} == {1, 2}
    assert all(c["classes"]["pick"] == 3 for c in cells)
    assert all(c["recipe"]["lr"] == 5e-4 for c in cells)


def test_what_is_done_and_what_is_in_jobs(tiny: WriteTask, tmp_path: Path, cli: Call) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    plan = document(cli("plan", tiny(), "--json"))
    assert plan["counts"] == {"done": 2, "failed": 0, "waiting": 2, "infeasible": 0}
    assert sorted(c["status"] for c in plan["cells"]) == ["done"] * 2 + ["waiting"] * 2

    study = open_study(tiny(), runs=tmp_path / "runs")
    prepared = study.prepare(open_launcher("inline", LaunchOptions()))
    forecast = Forecast(90.0, 0.025, lines=["  on two nodes"])
    work = Work(60.0, 0.0, 29.0, 1.0, images=1200)
    prepared = replace(prepared, in_flight=3, forecast=forecast, work=work)
    assert describe(study, prepared).splitlines() == [
        "tiny: 4 cells, 2 done, 0 failed, 2 to run (about 90 s of one core)",
        "  estimated: 60 s features of 1,200 images, 29 s training, 1 s evaluation",
        "  3 cells are in jobs that were submitted before",
        "  on two nodes",
    ]


def test_a_finished_task_has_no_estimate(tiny: WriteTask, cli: Call) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    assert cli("plan", tiny(), "seeds=1").out == "tiny: 2 cells, 2 done, 0 failed, 0 to run\n"


@pytest.mark.parametrize("budget", ["{}", "{hours: 0}", "{hours: two}", "{hours: true}"])
def test_a_budget_that_is_none(budget: str, cli: Call, tiny: WriteTask) -> None:
    ended = cli("plan", tiny(), f"budget={budget}")
    assert (ended.code, ended.out) == (2, "")
    assert "budget" in ended.errors()[0]


@pytest.mark.skipif(any(map(os.path.exists, GPU_FILES)), reason="torch is asked for the GPUs")
@pytest.mark.parametrize("tuning", ["head", "projection", "all"])
def test_a_plan_loads_no_torch(
    tuning: str, tiny: WriteTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be most of the memory, 450 MB. In a process of its own."""
    for name in ("HARNESS_DEVICE", *RESERVES):
        monkeypatch.delenv(name, raising=False)
    words = ["plan", tiny(tuning=tuning, method=[None, "gda"]), "--runs", str(tmp_path / "runs")]
    program = (
        "import sys\n"
        "from harness.cli import main\n"
        f"code = main({words!r})\n"
        "print(code, 'torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "0 False"


def test_weights_that_were_not_saved_are_told(tiny: WriteTask, cli: Call) -> None:
    """`save` changes no key: what is done already is not trained again for it."""
    few = {"seeds": 1, "shots": 1, "classifier": "text"}
    assert cli("grid", tiny(**few)).code == 0
    note = (
        "save: last has no weights of 1 cell that is done: they were trained without it, and "
        "--rerun trains them again."
    )
    assert note in json.loads(cli("plan", tiny(**few, save="last"), "--json").out)["notes"]
    assert note in cli("grid", tiny(**few, save="last")).err
    assert cli("grid", tiny(**few, save="last"), "--rerun", "seed=0").code == 0
    assert "save: last" not in cli("plan", tiny(**few, save="last")).out
