"""Every table and figure of the paper as a task: names, claims, printed numbers, and a plan of its
variant on embedded data.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import Call

import harness
from harness.commands import reproduce
from harness.core.cells import Cell, Recipe
from harness.report.model.labels import lay_out
from harness.report.model.paper import title_of
from harness.report.model.published import names, read_published
from harness.task import library
from harness.task.grid import expand
from harness.task.read import read_task
from harness.task.schema import Task

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
    tasks = [read_task(PAPER[name])]
    return tasks + ([read_task(PAPER[name], embedded=True)] if name in TESTABLE else [])


def test_every_table_and_figure_is_there() -> None:
    tables = {f"table{k:02}" for k in range(1, 13)} | {"tableA1", "tableA2"}
    assert set(PAPER) == tables | {"figure1", "figure3", "figure4", "figureA5"} | SOURCES
    assert set(reproduce.PICTURES) == {n for n in PAPER if n.startswith("figure")}


def test_the_recipe_is_that_of_the_paper() -> None:
    values_of_file = yaml.safe_load(library.recipes()["text4vis"].read_text(encoding="utf-8"))
    recipe = read_task(PAPER["table01"]).recipe
    values = {key: getattr(recipe, key)[0] for key in values_of_file}
    same = {"precision": "bfloat16", "augment": "crop_flip"}
    assert values == {key: same.get(key, getattr(Recipe(), key)) for key in values_of_file}
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
    study = harness.open_study(f"paper/{name}", embedded=True, runs=tmp_path)
    cells = [c.cell for c in study.plan().cells]
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


def test_cells_of_several_tables_are_shared() -> None:
    """Figure A.5 is made of Table 1's cells, Figure 4 and Table A.2 begin from them."""

    def cells(name: str) -> set[Cell]:
        return set(expand(read_task(PAPER[name], embedded=True)))

    assert cells("figureA5") <= cells("table01")
    assert cells("table01") & cells("figure4") & cells("figure1")
    assert cells("table01") & cells("tableA2") & cells("table10")
