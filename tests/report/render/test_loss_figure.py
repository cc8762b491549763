"""The training loss over the epochs."""

from __future__ import annotations

import pytest

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.render.loss_figure import loss_figure, mean_curve

from ..studies import few_shot_accuracy, make_results, task_of

ASKED = {"rows": "classifier", "columns": "shots", "curves": True}


def falling(cell: Cell) -> list[float]:
    assert cell.seed is not None
    return [2.0 + cell.seed, 1.0, 0.5]


def test_the_curve_is_the_mean_over_seeds() -> None:
    results = make_results(task_of(shots=1), few_shot_accuracy, curve=falling)
    table = build_table(results)
    loss_E = mean_curve(table.entries["text", table.columns[0]])
    assert loss_E is not None
    assert loss_E.tolist() == pytest.approx([4.0, 1.0, 0.5])


def test_it_is_drawn_where_the_task_asks_for_it() -> None:
    results = make_results(task_of(report=ASKED), few_shot_accuracy, curve=falling)
    figure = loss_figure(results, build_table(results))
    assert figure is not None
    assert figure.name == "curves.png"
    assert figure.png.startswith(b"\x89PNG")
    plain = make_results(task_of(), few_shot_accuracy, curve=falling)
    assert loss_figure(plain, build_table(plain)) is None


def test_rows_without_a_curve_are_left_out() -> None:
    results = make_results(task_of(report=ASKED), few_shot_accuracy)
    assert loss_figure(results, build_table(results)) is None
    uneven = make_results(
        task_of(shots=1), few_shot_accuracy, curve=lambda c: [1.0] * (2 + bool(c.seed))
    )
    table = build_table(uneven)
    assert mean_curve(table.entries["text", table.columns[0]]) is None
