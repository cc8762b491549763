"""Configurations that were chosen on the test set: no file of the report hides it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from harness.core.cells import Cell
from harness.report.model.table import Table, build_table
from harness.report.render.figures import draw
from harness.report.render.write import write_report
from harness.report.text.watermark import chosen_on_test, warning

from .studies import few_shot_accuracy, make_study, task_of

ON_TEST: dict[str, Any] = {
    "classifier": ["text", "random"],
    "shots": [1, 2],
    "include": [],
    "search": {"recipe.lr": [1e-3, 1e-4]},
    "selection": "test",
    "allow_test_selection": True,
    "report": {"rows": "classifier", "columns": "shots", "reference": "random"},
}
#: The same study, and a row of it with a fixed recipe.
MIXED = {**ON_TEST, "include": [
    {"classifier": "text", "selection": "last", "allow_test_selection": False, "search": None},
]}  # fmt: skip
MARKED = ["text · chosen on test", "random · chosen on test"]


def accuracy(cell: Cell) -> float:
    return few_shot_accuracy(cell) + (0.05 if cell.selection == "test" else 0)


def table_of(changes: dict[str, Any]) -> Table:
    return build_table(make_study(task_of(**changes), accuracy))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(task_of(**MIXED), accuracy, weights=True)
    place = tmp_path_factory.mktemp("reports")
    write_report(study, place, "python -m harness grid few_shot")
    return place


def text(folder: Path, suffix: str) -> str:
    return (folder / f"few_shot{suffix}").read_text(encoding="utf-8")


def test_rows_carry_the_mark_in_their_label() -> None:
    table = table_of(ON_TEST)
    assert list(table.rows) == MARKED == chosen_on_test(table)
    assert table.reference == MARKED[1]  # report.reference still finds it by its value
    assert "of every row are" in warning(table)


def test_other_rows_do_not() -> None:
    table = table_of(MIXED)
    assert {row for row in table.rows if "chosen on test" not in row} == {"text · lr=0.0003"}
    assert chosen_on_test(table) == MARKED
    assert f"of {MARKED[0]} and {MARKED[1]} are" in warning(table)


def test_the_page_begins_with_it(folder: Path) -> None:
    page = text(folder, ".md")
    assert page.startswith("# few_shot\n\n**Chosen on the test set.** The configurations")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    named = [line for line in lines if "random" in line.split(" | ")[0]]
    assert named
    assert all("random · chosen on test" in line for line in named)
    assert "best on the reported test set" in page
    assert "chosen on the test set" in page.split("Search budget")[1].split("\n")[0]


def test_so_do_html_and_tex(folder: Path) -> None:
    body = text(folder, ".html").split("<body>")[1]
    assert body.index("<strong>Chosen on the test set.</strong>") < body.index("<table>")
    tex = text(folder, ".tex").splitlines()
    first = tex.index(r"\toprule") + 1
    assert tex[first].startswith(r"\multicolumn{3}{l}{\textbf{Chosen on the test set")
    assert sum(r"random $\cdot$ chosen on test" in line for line in tex) == 1


def test_so_do_the_csv_files(folder: Path) -> None:
    cells = list(csv.DictReader(io.StringIO(text(folder, ".csv"))))
    assert {c["selection"] for c in cells if c["classifier"] == "random"} == {"test"}
    assert {c["selection"] for c in cells} == {"test", "last"}
    contrasts = list(csv.DictReader(io.StringIO(text(folder, "_contrasts.csv"))))
    assert {c["b"] for c in contrasts} <= {*MARKED, "text · lr=0.0003"}


def test_a_banner_is_over_every_figure(folder: Path) -> None:
    study = make_study(task_of(**MIXED), accuracy, weights=True)
    plain = {f.name: f for f in draw(study, build_table(study))}
    assert len(plain) >= 3
    for name, figure in plain.items():
        before = Image.open(io.BytesIO(figure.png)).convert("RGB")
        after = Image.open(folder / "few_shot" / name)
        band = after.height - before.height
        assert band > 20
        assert after.crop((0, band, *after.size)).tobytes() == before.tobytes()
        colours = after.crop((0, 0, after.width, band)).getcolors(100_000)
        assert colours is not None
        assert (176, 0, 32) in {colour for _, colour in colours}
        assert f"*Chosen on the test set: rows marked so are too high. {figure.caption[:20]}" in (
            text(folder, ".md")
        )


def test_nothing_of_it_where_nothing_was_chosen_so(tmp_path: Path) -> None:
    study = make_study(task_of(classifier=["text", "random"], include=[]), few_shot_accuracy)
    for path in write_report(study, tmp_path, "x"):
        if path.suffix != ".png":
            assert "test set.**" not in path.read_text(encoding="utf-8")
            assert "hosen on test" not in path.read_text(encoding="utf-8")
    assert warning(build_table(study)) == ""
