"""Plugins beside a task and in no package of the harness, as a user writes them: every kind that
a run has, by `package.module:object`, in this process and in processes of a launcher.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Call, WriteTask, records

OWN = '''
"""Plugins of a study."""

import sys
from types import SimpleNamespace

from harness.core.protocols.launcher import Launched


def worst(predictions, labels_N, groups_N):
    """The accuracy of the worst class."""
    right = predictions.prediction == labels_N
    return min(right[labels_N == c].mean() for c in set(labels_N.tolist()))


class Own:
    """A solver: gradient descent on several cells in turn."""

    TOGETHER = 3

    def accepts(self, cells):
        return len({c.recipe.epochs for c in cells}) == 1

    def solve(self, problems):
        import torch
        from harness.core.protocols.solver import Solution

        print(f"solve {len(problems)}", file=sys.stderr)
        solutions = [Solution() for _ in problems]
        for epoch in range(problems[0].recipe.epochs):
            for problem, solution in zip(problems, solutions):
                model = problem.model
                h_NF = model.source.features(torch.arange(len(problem.labels_N)))
                loss = model.head.loss(model.embedding(h_NF), problem.labels_N)
                tensors = [t for t in model.tensors() if t.requires_grad]
                for t, g in zip(tensors, torch.autograd.grad(loss, tensors)):
                    t.data -= problem.recipe.lr * g
                point = {"epoch": epoch + 1, "loss": loss.item(), "train_top1": 0.0, "seconds": 0.0}
                solution.curve.append(point)
                solution.steps += 1
                problem.watch.epoch(point)
        return solutions


class Lines:
    """A log of one line for every epoch and every Record."""

    def __init__(self, folder, key):
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / f"{key}.lines").open("w")

    def epoch(self, point):
        print(point["epoch"], file=self.file)

    def done(self, record, measures):
        print(record.status, measures["own:worst"], file=self.file)

    def close(self):
        self.file.close()


def submit(request):
    """Cells one by one, the last first."""
    for keyed in reversed(request.cells):
        request.run_here([keyed], 1)
    return Launched([f"ran {len(request.cells)} cells, the last first"])


def fit(inputs, options):
    return inputs.text()


launcher = SimpleNamespace(submit=submit)
log = SimpleNamespace(open_log=lambda folder, key, cell: Lines(folder, key))
worst = SimpleNamespace(TITLE="Worst class", UNIT="fraction", BETTER="higher", compute=worst)
solver = Own()
method = SimpleNamespace(USES=("text",), fit=fit, logits=lambda z_ND, state: z_ND @ state.T)
'''


@pytest.fixture
def task(tiny: WriteTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """TINY with a measure, a solver and a method of one's own, in a module beside it."""
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own", raising=False)
    return tiny(
        measures=["own:worst"], method=[None, "own:method"],
        recipe={"preset": "lit_emoji", "epochs": 2, "solver": "own:solver"},
    )  # fmt: skip


def assert_complete(tmp_path: Path) -> None:
    found = list(records(tmp_path / "runs").values())
    assert len(found) == 5, "two classifiers at two seeds, and a method without one"
    assert {r["status"] for r in found} == {"done"}
    assert all(0 <= r["measures"]["own:worst"] <= r["top1"] for r in found)
    assert sum(r["cell"].get("method") == "own:method" for r in found) == 1
    header, *rows = (tmp_path / "reports" / "tiny.csv").read_text("utf-8").splitlines()
    assert "own:worst" in header.split(",")
    assert len(rows) == 5
    report = (tmp_path / "reports" / "tiny.md").read_text("utf-8")
    assert "Worst class" in report
    assert "own:method" in report
    for record in found:
        lines = (tmp_path / "runs" / "logs" / f"{record['key']}.lines").read_text().splitlines()
        trained = record["cell"].get("method") is None
        assert lines[:-1] == (["1", "2"] if trained else [])
        assert lines[-1] == f"done {record['measures']['own:worst']}"


def test_all_of_them_in_one_command(task: str, cli: Call, tmp_path: Path) -> None:
    ended = cli("grid", task, "--launch", "own:launcher", "--log", "own:log")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == ["ran 5 cells, the last first", "reports/tiny.md"]
    assert_complete(tmp_path)
    again = cli("grid", task, "--launch", "own:launcher", "--log", "own:log")
    assert again.out.splitlines() == ["reports/tiny.md"], "there is nothing to launch"


def test_a_solver_takes_several_cells_at_once(task: str, cli: Call, tmp_path: Path) -> None:
    ended = cli("grid", task, "--jobs", "1", "--log", "own:log")
    assert ended.code == 0, ended.err
    assert [line for line in ended.err.splitlines() if line.startswith("solve")] == [
        "solve 3", "solve 1",
    ]  # fmt: skip
    assert_complete(tmp_path)


@pytest.mark.slow
def test_jobs_find_them_too(
    task: str, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In processes of their own."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    ended = cli("grid", task, "--launch", "local", "--jobs", "1", "--log", "own:log")
    assert ended.code == 0, ended.err
    assert_complete(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--launch", "own:lancher"], "the launcher 'own:lancher' cannot be imported"),
        (["--launch", "own:worst"], "the launcher 'own:worst': submit: is missing"),
        (["--log", "own:solver"], "the log 'own:solver': open_log: is missing"),
        (["measures=[nowhere.measure]"], "the measure 'nowhere.measure' cannot be imported"),
        (["recipe.solver=own:log"], "the solver 'own:log': accepts: is missing"),
        (["method=own:log"], "the method 'own:log': USES: is missing"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_is_none_of_its_kind_is_one_sentence(
    task: str, cli: Call, tmp_path: Path, arguments: list[str], words: str
) -> None:
    ended = cli("grid", task, *arguments)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert words in ended.errors()[0]
    assert "Traceback" not in ended.err
    assert not (tmp_path / "runs" / "cells").exists()
