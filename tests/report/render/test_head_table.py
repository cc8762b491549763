"""The table on heads."""

from __future__ import annotations

from harness.report.model.table import build_table
from harness.report.render.head_table import head_table

from ..model.test_heads import study


def test_a_line_for_every_entry_and_blanks_for_what_is_not_known() -> None:
    lines = head_table(build_table(study())).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[:6]]
    assert cells[2] == ["1 shot", "text", "3", "0.5", "1.50", "45.0", "1.50"]
    assert cells[4] == ["4 shots", "text", "0.024", "0.008", "1.50", "45.0", "1.50"]
    solved = head_table(build_table(study(lambda _: {"gradient_norm": 2e-7, "convex": True})))
    assert "| Column | Row | Gradient norm |\n" in solved
    assert "| 1 shot | text | 2e-07 |\n" in solved
    exact = head_table(build_table(study(lambda _: {"gradient_norm": 3e-16, "convex": True})))
    assert "| 1 shot | text | < 1e-09 |\n" in exact


def test_nothing_without_heads() -> None:
    assert head_table(build_table(study(tuning="projection"))) == ""
