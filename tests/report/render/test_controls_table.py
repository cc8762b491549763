"""The section of what carries the gain."""

from __future__ import annotations

from harness.report.model.table import build_table
from harness.report.render.controls_table import controls_table
from harness.report.render.figures import draw
from harness.report.render.markdown import body

from ..model.test_controls import results_of, table_of
from ..studies import make_results, task_of


def test_a_line_for_every_part() -> None:
    text = controls_table(table_of())
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 10
    assert lines[0].startswith("| Column | Part | Rows | Difference \\[95% interval\\] | p |")
    first = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert first[:3] == ["1 shot", "gain of text", "text minus random"]
    assert first[3].startswith("+25")
    assert first[-1] == "adds"
    last = [cell.strip() for cell in lines[6].split("|")[1:-1]]
    assert last[1:3] == ["geometry on the random draw", "gram_matched minus random"]
    assert last[-1] == "undecided"
    assert text.startswith("- At 1 shot, the gain of text over random rows is +25")


def test_missing_seeds_are_said() -> None:
    text = controls_table(table_of(status=lambda c: "missing" if c.seed == 4 else "done"))
    assert "text minus random | missing |  |  | missing |" in text
    assert "nan" not in text


def test_no_controls_no_section() -> None:
    table = build_table(make_results(task_of(classifier=["text", "random"]), lambda c: 0.5))
    assert controls_table(table) == ""


def test_the_figure_is_in_the_section() -> None:
    results = results_of()
    table = build_table(results)
    page = body(results, table, draw(results, table), [])
    section = page.partition("## What carries the gain\n")[2].partition("\n## ")[0]
    assert "](few_shot/controls_dose.png)" in section
    assert page.count("controls_dose.png") == 1
