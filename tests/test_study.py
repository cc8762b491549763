"""The Python API: a study from its task to its report, as notebooks and commands use it."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, TINY, WriteTask, hashes, records

import harness
from harness import Study, open_study
from harness.core.errors import TaskError, UnknownName
from harness.run.request import open_launcher

Open = Callable[..., Study]


@pytest.fixture
def opened(tmp_path: Path, tiny: WriteTask) -> Open:
    """The study of TINY with some keys replaced."""

    def call(*overrides: str, task: str = "", as_run: bool = False, **changes: Any) -> Study:
        return open_study(
            task or tiny(**changes), runs=tmp_path / "runs", reports=tmp_path / "reports",
            overrides=overrides, as_run=as_run,
        )  # fmt: skip

    return call


# --- opening -------------------------------------------------------------------------------------


def test_a_mapping_is_a_task(tmp_path: Path) -> None:
    study = open_study(TINY | {"shots": (1, 2)}, runs=tmp_path, seeds=1)
    assert (study.task.shots, study.task.seeds, study.file) == ([1, 2], 1, "tiny")
    assert len(study.plan().cells) == 4


def test_keyword_arguments_replace_keys(opened: Open, tiny: WriteTask, tmp_path: Path) -> None:
    """Under `recipe` only those that they name; the command of the report says the same."""
    study = open_study(
        tiny(), runs=tmp_path, seeds=range(3), classifier=["text"], recipe={"epochs": 5}
    )
    assert (study.task.seeds, len(study.plan().cells)) == ([0, 1, 2], 3)
    recipe = study.plan().cells[0].cell.recipe
    assert recipe is not None
    assert (recipe.epochs, recipe.batch) == (5, opened().plan().cells[0].cell.recipe.batch)  # type: ignore[union-attr]
    assert study.command.endswith("'seeds=[0, 1, 2]' 'classifier=[text]' 'recipe={epochs: 5}'")


def test_named_recipes_are_rows_of_one_report(opened: Open, tmp_path: Path) -> None:
    """Two names of one cell: it runs once, has one Record, and both rows show it."""
    own = {"name": "own", "by": {"random": {"epochs": 2}}}
    study = opened(
        recipe=[{"name": "shared"}, own], classifier=["text", "random"], shots=1, seeds=2,
        report={"rows": ["classifier", "recipe"]},
    )  # fmt: skip
    study = opened("recipe.lr=1e-3", "recipe.epochs=1", task=study.file)
    assert len(study.plan().cells) == 6
    assert len(study.cells_where("recipe=own")) == 4
    study.run()
    assert len(records(tmp_path / "runs")) == 6
    table = study.table()
    assert table.rows == ("text · shared", "text · own", "random · shared", "random · own")
    same = {(c.contrast.a, c.contrast.b) for c in table.pairs if c.contrast.difference == 0}
    assert ("text · shared", "text · own") in same
    study.report()
    reports = tmp_path / "reports"
    lines = list(csv.DictReader((reports / "tiny.csv").read_text().splitlines()))
    assert [(x["classifier"], x["recipe"], x["recipe.epochs"]) for x in lines if x["seed"] == "1"] \
        == [("text", "shared", "1"), ("text", "own", "1"), ("random", "shared", "1"),
            ("random", "own", "2")]  # fmt: skip
    assert len({x["key"] for x in lines}) == 6
    page = (reports / "tiny.md").read_text()
    assert "- Records: 6 of 6 cells" in page
    assert "- Named recipes: shared, own" in page
    # The two recipes of text are one: its rows are the same cells.
    assert "2 configurations that differ in the recipe alone (random" in page


def test_overrides_come_after_keyword_arguments(tiny: WriteTask, tmp_path: Path) -> None:
    assert open_study(tiny(), runs=tmp_path, overrides=["seeds=1"], seeds=5).task.seeds == 1


def test_names_of_tasks(tmp_path: Path) -> None:
    assert open_study("few_shot", runs=tmp_path, seeds=2).task.name == "few_shot"
    with pytest.raises(UnknownName, match="Did you mean 'few_shot'"):
        open_study("few_shots", runs=tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"clasifier": ["text"]}, "clasifier: there is no such key"),
        ({"report": {"rows": ["classifer"]}}, "report.rows: 'classifer': there is no such name"),
        ({"seeds": 0}, "seeds: 0"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(TaskError) as caught:
        open_study(TINY, runs=tmp_path, **changes)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_does_not_exist_is_refused_by_the_plan(opened: Open) -> None:
    study = opened(classifier=["tekst"])
    with pytest.raises(TaskError, match=r"classifier: no classifier is called 'tekst'.*'text'"):
        study.plan()


def test_the_embedded_variant_is_found_again(tmp_path: Path, tiny: WriteTask) -> None:
    file = tiny(embedded={"relation": "same", "replace": {"seeds": 1}})
    study = open_study(file, runs=tmp_path / "runs", embedded=True)
    assert (study.task.name, len(study.plan().cells)) == ("tiny_embedded", 2)
    study.write_task()
    again = open_study("tiny", runs=tmp_path / "runs", embedded=True, as_run=True)
    assert again.file == str(tmp_path / "runs" / "tiny_embedded" / "task.yaml")
    assert [c.key for c in again.plan().cells] == [c.key for c in study.plan().cells]
    assert again.command.endswith(" --embedded")
    assert study.command.endswith(" --embedded")


# --- running -------------------------------------------------------------------------------------


def test_a_study_runs_once(opened: Open, tmp_path: Path) -> None:
    """`run` gives the study; running again, and opening again, trains nothing."""
    calls: list[tuple[str, Any]] = []
    events = harness.Events(
        features=lambda done, total: calls.append(("features", total)),
        ready=lambda: calls.append(("ready", None)),
        epoch=lambda cell, point: calls.append(("epoch", point["epoch"])),
        cell=lambda cell, status: calls.append(("cell", status)),
    )
    study = opened()
    assert study.plan().counts()["waiting"] == 4
    assert study.run(events=events) is study
    assert [name for name, _ in calls].count("epoch") == 4 * 2
    assert [value for name, value in calls if name == "cell"] == ["done"] * 4
    assert study.plan().counts() == {"done": 4, "failed": 0, "waiting": 0, "infeasible": 0}
    before = hashes(tmp_path / "runs")
    calls.clear()
    study.run(events=events)
    opened().run(events=events)
    assert calls == []
    assert hashes(tmp_path / "runs") == before


def test_failed_cells_run_again_if_asked(opened: Open, tmp_path: Path) -> None:
    broken = {"recipe": {"lr": 1e30, "optimiser": "sgd", "epochs": 2, "warmup_epochs": 0}}
    study = opened(classifier="text", seeds=1, **broken).run()
    assert study.plan().counts()["failed"] == 1
    started = [r["environment"]["started"] for r in records(tmp_path / "runs").values()]
    stamps = [p.stat().st_mtime_ns for p in (tmp_path / "runs/cells").rglob("*.json")]
    study.run()
    assert [p.stat().st_mtime_ns for p in (tmp_path / "runs/cells").rglob("*.json")] == stamps
    study.run(retry_failed=True)
    assert [p.stat().st_mtime_ns for p in (tmp_path / "runs/cells").rglob("*.json")] != stamps
    assert len(started) == 1


def test_a_budget_is_kept(opened: Open, tmp_path: Path) -> None:
    study = opened(budget={"hours": 1e-9})
    with pytest.raises(TaskError, match=r"budget\.hours: about .* core-hours \(an estimate\)"):
        study.run()
    assert not (tmp_path / "runs" / "cells").exists()
    study.run(over_budget=True)
    assert study.plan().counts()["done"] == 4


@pytest.mark.parametrize("budget", [{"hours": 0}, {"hour": 1}, {"hours": "1"}, {"hours": True}])
def test_a_budget_of_another_form(opened: Open, budget: dict[str, Any]) -> None:
    study = opened(budget=budget)
    prepared = study.prepare(open_launcher("inline", harness.LaunchOptions()))
    with pytest.raises(TaskError, match="budget"):
        study.over_budget(prepared)


def test_cells_are_found_by_their_values(opened: Open) -> None:
    study = opened("shots=[1, 2]")
    found = study.cells_where("classifier=random,shots=[1,2],seed=0")
    assert [(c.cell.classifier.name, c.cell.shots, c.cell.seed) for c in found] == [  # type: ignore[union-attr]
        ("random", 1, 0), ("random", 2, 0),
    ]  # fmt: skip
    with pytest.raises(TaskError, match="no cell of this task"):
        study.cells_where("shots=9")
    with pytest.raises(TaskError, match="axis=value"):
        study.cells_where("shots")


# --- results -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("ran")
    keys = TINY | {"seeds": 5, "report": {"rows": "classifier", "reference": "random"}}
    return open_study(keys, runs=folder / "runs", reports=folder / "reports").run()


def test_the_table_as_pandas_has_it(ran: Study) -> None:
    frame = ran.table().dataframe()
    assert set(frame["row"]) == {"text", "random"}
    text = frame.set_index("row").loc["text"]
    top1 = [ran.record(c).top1 for c in ran.plan().cells if c.cell.classifier.name == "text"]  # type: ignore[union-attr]
    assert text["mean"] == pytest.approx(sum(top1) / 5)  # type: ignore[arg-type]
    assert text["low"] <= text["mean"] <= text["high"]
    assert (text["seeds"], text["status"]) == (5, "done")


def test_figures_show_themselves(ran: Study) -> None:
    figures = ran.figures()
    assert {figure.name for figure in figures} >= {"accuracy.png"}
    assert all(figure._repr_png_().startswith(b"\x89PNG") for figure in figures)


def test_the_report_is_written(ran: Study) -> None:
    paths = ran.report()
    assert paths[0] == ran.reports / "tiny.md"
    assert all(path.is_file() for path in paths)
    assert (ran.store.root / "tiny" / "support").is_dir()


def test_a_test_set_that_was_lost_is_drawn_again(ran: Study) -> None:
    (path,) = (ran.store.root / "tests").glob("*.npz")
    before = ran.results().tests[path.stem]
    path.unlink()
    assert ran.results().tests[path.stem].items == before.items
    assert path.is_file()


def test_nothing_is_in_a_job(ran: Study) -> None:
    assert ran.status().jobs == {}
    assert (ran.cancel().jobs, ran.cancel().cells) == (0, 0)


# --- notes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "note"),
    [
        (
            "exclude=[{classifier: lda}, {classifier: text, seed: 1}]",
            "exclude: {classifier: lda} matches no cell of this grid",
        ),
        ("frames=8", "frames: 8 applies to no cell of this task"),
        ("report.reference=randm", "report.reference 'randm' is no row of this grid. Did you mean"),
        ("report.reference=random", ""),
        ("seeds=2", ""),
    ],
)
def test_notes_on_what_most_people_do_not_mean(opened: Open, override: str, note: str) -> None:
    notes = opened(override).notes()
    assert len(notes) == bool(note)
    assert not note or notes[0].startswith(note)


def test_a_task_without_a_cell_is_refused(opened: Open) -> None:
    with pytest.raises(TaskError, match="exclude: removes every cell of the grid"):
        opened("exclude=[{}]").plan()


def test_a_note_before_the_report_of_another_grid_is_replaced(opened: Open) -> None:
    opened().write_task()
    assert opened().notes() == []
    (note,) = opened("seeds=1").notes()
    assert "those of another grid" in note


def test_keys_that_a_later_version_added_make_no_other_grid(opened: Open, tmp_path: Path) -> None:
    """The task.yaml of an older version lacks them."""
    opened().write_task()
    file = tmp_path / "runs" / "tiny" / "task.yaml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    older = [line for line in lines if not line.startswith("measures:")]
    assert len(older) == len(lines) - 1
    file.write_text("".join(older), encoding="utf-8")
    assert opened().notes() == []


# --- the module ----------------------------------------------------------------------------------


def test_names_of_the_module() -> None:
    for name in harness.__all__:
        assert getattr(harness, name) is not None
        assert name in dir(harness)
    with pytest.raises(AttributeError, match="no attribute 'open_studies'"):
        harness.open_studies  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    heavy = "('torch', 'pandas', 'matplotlib')"
    code = (
        f"import sys, harness; harness.open_study; print([m for m in {heavy} if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
