"""Every table and figure of the paper as a task, and `reproduce`."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.commands import reproduce
from harness.commands._session import open_session
from harness.core.cells import Cell, Recipe
from harness.report.model.labels import lay_out
from harness.report.model.published import names, read_published
from harness.report.model.paper import title_of
from harness.task import library
from harness.task.grid import expand
from harness.task.read import read_task
from harness.task.schema import Task
from tests.conftest import ROOT, TINY, Call

PAPER = {n.removeprefix("paper/"): p for n, p in library.tasks().items() if n.startswith("paper/")}
SOURCES = set(reproduce.SOURCES.values())
TESTABLE = sorted(set(PAPER) - {"table07"})
#: Rows that a claim names and no study can have: the page says that they are not tested.
WITHOUT_A_ROW = {
    ("table05_embedded", "ViT-L/14"), ("table05_embedded", "ViT-B/16"),
    ("table07", "Ours ViT-L/14 with 336 pixels"), ("table07", "CoVeR with JFT-3B"),
    ("tableA1", "tableA1_source"), ("tableA1_embedded", "tableA1_source_embedded"),
    *((name, row) for name in ("tableA1", "tableA1_embedded") for row in ("Ours", "TDN")),
}  # fmt: skip


def variants(name: str) -> list[Task]:
    told = [read_task(PAPER[name])]
    return told + ([read_task(PAPER[name], embedded=True)] if name in TESTABLE else [])


def test_every_table_and_figure_is_there() -> None:
    tables = {f"table{k:02}" for k in range(1, 13)} | {"tableA1", "tableA2"}
    assert set(PAPER) == tables | {"figure1", "figure3", "figure4", "figureA5"} | SOURCES
    assert set(reproduce.PICTURES) == {n for n in PAPER if n.startswith("figure")}


def test_the_recipe_is_that_of_the_paper() -> None:
    told = yaml.safe_load(library.recipes()["text4vis"].read_text(encoding="utf-8"))
    recipe = read_task(PAPER["table01"]).recipe
    values = {key: getattr(recipe, key)[0] for key in told}
    same = {"precision": "bfloat16", "augment": "crop_flip"}
    assert values == {key: same.get(key, getattr(Recipe(), key)) for key in told}
    assert read_task(PAPER["table08"]).recipe.epochs == [200]
    assert read_task(PAPER["table12"]).recipe.epochs == [10]


@pytest.mark.parametrize("name", sorted(PAPER))
def test_names_relations_and_printed_numbers(name: str) -> None:
    numbers = {(n.table, n.row, n.column) for n in read_published("text4vis")}
    for task in variants(name):
        assert task.name.removesuffix("_embedded") == name
        assert task.embedded is not None
        assert task.embedded.why or task.embedded.relation == "same"
        assert all(file in names() for file in task.report.published)
        for claim in task.claims:
            assert claim.table == title_of(name)
            assert len(claim.printed) in (0, 2)
            assert all((claim.table, *place) in numbers for place in claim.printed)
        if name not in SOURCES:
            assert task.claims
            assert f"({title_of(name)})" in task.question


def test_claims_go_with_the_printed_numbers() -> None:
    """A direction that the printed numbers do not have would be ours and not the paper's."""
    numbers = {(n.table, n.row, n.column): n.value for n in read_published("text4vis")}
    checked = 0
    for task in (task for name in PAPER for task in variants(name)):
        for claim in task.claims:
            if not claim.printed:
                continue
            a, b = (numbers[claim.table or "", *place] for place in claim.printed)
            checked += 1
            assert a > b if claim.direction == ">" else abs(a - b) < 0.5, (task.name, claim.text)
    assert checked > 40


@pytest.mark.parametrize("name", sorted(PAPER))
def test_claims_name_rows_and_columns_of_their_study(name: str) -> None:
    for task in variants(name):
        layout = lay_out(task.report, expand(task))
        columns = {column.label for column in layout.columns}
        for claim in task.claims:
            for row in (claim.a, claim.b):
                assert (row in layout.rows) is ((task.name, row) not in WITHOUT_A_ROW), row
            assert claim.column is None or claim.column in columns, claim.column


@pytest.mark.parametrize("name", TESTABLE)
def test_embedded_variants_can_be_planned(name: str, tmp_path: Path) -> None:
    """On this machine, without network: seeds enough for a test, few cells, none refused."""
    arguments = Namespace(
        task=f"paper/{name}", overrides=[], embedded=True, runs=tmp_path, reports=tmp_path
    )
    session = open_session(arguments)
    cells = [p.cell for p in session.plan.cells]
    assert 1 <= len(cells) <= 60
    assert name in SOURCES or len({cell.seed for cell in cells} - {None}) == 5


@pytest.mark.parametrize(("name", "missing"), [("table01", "data/k400"), ("table10", "coop:data")])
def test_the_studies_themselves_say_which_data_are_missing(
    name: str, missing: str, cli: Call
) -> None:
    ended = cli("plan", f"paper/{name}")
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert missing in ended.err
    assert "dataset" in ended.err


def test_what_cannot_be_tested_is_refused_by_itself(cli: Call) -> None:
    ended = cli("plan", "paper/table07", "--embedded")
    assert ended.code == 2
    assert "printed numbers of models" in ended.err


# --- reproduce, on tasks of a few cells ----------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """tasks/ with four small tasks under paper/: the folder in which they lie."""
    folder = tmp_path / "tasks"
    shutil.copytree(ROOT / "tasks" / "recipes", folder / "recipes")
    (folder / "paper").mkdir()
    claim = {"text": "Text wins.", "a": "text", "b": "random", "direction": ">"}
    real = {**TINY, "dataset": "folder:nowhere", "claims": [claim]}
    same = {"relation": "same", "replace": {"dataset": "emoji"}}
    never = {"relation": "not_testable", "why": "Nobody can."}
    own = {"preset": "lit_emoji", "epochs": 1}  # a cell that no other task has trained
    saved = {"dataset": "emoji", "seeds": [0], "classifier": "text", "recipe": own}
    tasks: dict[str, dict[str, Any]] = {
        "table01": {**real, "embedded": same},
        "table12": {**real, "embedded": never},
        "tableA1": {**real, "classifier": "text", "embedded": same, "report": {"rows": "init"},
                    "claims": [{**claim, "a": "tableA1_source_embedded", "b": "text"}]},
        "tableA1_source": {**real, "save": "last", "embedded": {**same, "replace": saved}},
    }  # fmt: skip
    for name, data in tasks.items():
        path = folder / "paper" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data | {"name": name}), encoding="utf-8")
    monkeypatch.setattr(library, "tasks_folder", lambda: folder)
    return folder / "paper"


def states(runs: Path) -> list[str]:
    return [json.loads(p.read_text("utf-8"))["status"] for p in runs.glob("cells/*/*.json")]


def test_reproduce_runs_all_and_writes_one_page(small: Path, cli: Call, tmp_path: Path) -> None:
    ended = cli("reproduce", "--jobs", "2")
    assert ended.code == 0, ended.err
    assert ended.out.strip() == "reports/reproduce.md"
    text = (tmp_path / "reports" / "reproduce.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert [t[3:].partition(":")[0] for t in titles[1:-1]] == ["Table 1", "Table 12", "Table A.1"]
    assert "| Table 1 |  | the same study | 4 done |" in text
    assert "Nobody can." in text
    assert "tableA1_source_embedded#" in text  # the row that begins from the saved weights
    assert (tmp_path / "reports" / "reproduce.html").is_file()
    assert (tmp_path / "reports" / "table01_embedded.md").is_file()
    # 4 of Table 1, whose text row is also the first of Table A.1; the source, 2 that begin from it.
    assert states(tmp_path / "runs") == ["done"] * 7
    again = cli("reproduce", "--jobs", "2")
    assert again.code == 0
    assert len(states(tmp_path / "runs")) == 7


def test_one_table_that_cannot_run_does_not_stop_the_others(
    small: Path, cli: Call, tmp_path: Path
) -> None:
    data = yaml.safe_load((small / "table12.yaml").read_text(encoding="utf-8"))
    data["embedded"] = {"relation": "same"}
    (small / "table12.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    ended = cli("reproduce", "table01", "table12")
    assert ended.code == 1
    text = (tmp_path / "reports" / "reproduce.md").read_text(encoding="utf-8")
    assert "**not run:**" in text
    assert "nowhere" in text
    assert "| Table 1 |  | the same study | 4 done |" in text


def test_the_studies_themselves_are_asked_for_with_full(
    small: Path, cli: Call, tmp_path: Path
) -> None:
    ended = cli("reproduce", "table01", "--full")
    assert ended.code == 1
    assert "nowhere" in ended.err
    assert "--full" in (tmp_path / "reports" / "reproduce.md").read_text(encoding="utf-8")


def test_an_unknown_table_has_a_nearest(cli: Call) -> None:
    ended = cli("reproduce", "table13")
    assert ended.code == 2
    assert "Did you mean 'table" in ended.err


def test_order_is_that_of_print() -> None:
    order = reproduce._chosen([])
    assert order[:2] == ["table01", "table02"]
    assert order[11:] == [
        "table12", "figure1", "figure3", "figure4", "tableA1", "tableA2", "figureA5"
    ]  # fmt: skip


def test_costs_are_of_the_clip_and_of_what_joins_its_frames() -> None:
    """The row of Table 7: 32 frames of ViT-L/14 and T-Trans are the printed 1662 G."""
    task = read_task(PAPER["table07"])
    published = tuple(n for n in read_published("text4vis") if n.table == "Table 7")
    first, _ = reproduce._costs([task], published)
    assert (first.frames, round(first.macs_paper / 1e9)) == (32, 1662)
    assert reproduce._costs([task], ()) == ()


def test_cells_of_several_tables_are_shared() -> None:
    """Figure A.5 is made of Table 1's cells, Figure 4 and Table A.2 begin from them."""

    def cells(name: str) -> set[Cell]:
        return set(expand(read_task(PAPER[name], embedded=True)))

    assert cells("figureA5") <= cells("table01")
    assert cells("table01") & cells("figure4") & cells("figure1")
    assert cells("table01") & cells("tableA2") & cells("table10")
