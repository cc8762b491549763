"""The training loss over the epochs."""

from __future__ import annotations

import pytest

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.render.curves import mean_curve
from harness.report.render.figures import draw

from .studies import few_shot_accuracy, make_study, task_of

ASKED = {"rows": "classifier", "columns": "shots", "curves": True}


def falling(cell: Cell) -> list[float]:
    assert cell.seed is not None
    return [2.0 + cell.seed, 1.0, 0.5]


def test_the_curve_is_the_mean_over_seeds() -> None:
    study = make_study(task_of(shots=1), few_shot_accuracy, curve=falling)
    table = build_table(study)
    found = mean_curve(table.entries["text", table.columns[0]])
    assert found is not None
    assert found.tolist() == pytest.approx([4.0, 1.0, 0.5])


def test_it_is_drawn_where_the_task_asks_for_it() -> None:
    study = make_study(task_of(report=ASKED), few_shot_accuracy, curve=falling)
    figures = {f.name: f for f in draw(study, build_table(study))}
    assert figures["curves.png"].png.startswith(b"\x89PNG")
    plain = make_study(task_of(), few_shot_accuracy, curve=falling)
    assert "curves.png" not in {f.name for f in draw(plain, build_table(plain))}


def test_rows_without_a_curve_are_left_out() -> None:
    study = make_study(task_of(report=ASKED), few_shot_accuracy)
    assert "curves.png" not in {f.name for f in draw(study, build_table(study))}
    uneven = make_study(
        task_of(shots=1), few_shot_accuracy, curve=lambda c: [1.0] * (2 + bool(c.seed))
    )
    table = build_table(uneven)
    assert mean_curve(table.entries["text", table.columns[0]]) is None
