"""The training loss over the epochs."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.render import loss_figure as module
from harness.report.render.loss_figure import loss_figures, mean_curve, mean_epoch

from ..studies import few_shot_accuracy, make_results, task_of
from .extents import colliding, drawn, outside, texts

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
    (figure,) = loss_figures(results, build_table(results))
    assert figure.name == "curves.png"
    assert figure.png.startswith(b"\x89PNG")
    plain = make_results(task_of(), few_shot_accuracy, curve=falling)
    assert loss_figures(plain, build_table(plain)) == []


def test_rows_without_a_curve_are_left_out() -> None:
    results = make_results(task_of(report=ASKED), few_shot_accuracy)
    assert loss_figures(results, build_table(results)) == []
    uneven = make_results(
        task_of(shots=1), few_shot_accuracy, curve=lambda c: [1.0] * (2 + bool(c.seed))
    )
    table = build_table(uneven)
    assert mean_curve(table.entries["text", table.columns[0]]) is None


CLAIM = {"text": "x", "a": "text", "b": "random", "direction": ">", "measure": "steps"}


def test_the_loss_is_on_a_logarithmic_axis_with_the_targets_of_claims(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = task_of(report=ASKED, shots=[1, 2], claims=[{**CLAIM, "target": 1.5}])
    results = make_results(task, few_shot_accuracy, curve=falling)
    table = build_table(results)
    figures = drawn(monkeypatch, module)
    (figure,) = loss_figures(results, table)
    assert " Dashed lines: the target of 1.5 nats that claims name." in figure.caption
    (picture,) = figures
    axes = picture.axes[0]
    assert axes.get_yscale() == "log"
    ends = {tuple(np.atleast_1d(line.get_ydata()).tolist()) for line in axes.lines}
    assert (1.5, 1.5) in ends, "the target"
    assert (1.5,) in ends, "the dot of a row"
    assert any(y == pytest.approx([4.0, 1.0, 0.5]) for y in ends), "the curve itself"
    assert {"Epoch", "Training loss (nats)"} <= set(texts(picture))
    assert (colliding(picture), outside(picture)) == ([], [])


def test_the_dot_is_the_geometric_mean_over_seeds() -> None:
    curves = {0: [0.4], 1: [2.0, 0.4], 2: [2.0, 2.0, 2.0, 0.4]}
    results = make_results(
        task_of(shots=1, seeds=3), few_shot_accuracy, curve=lambda c: curves[c.seed or 0]
    )
    entry = (table := build_table(results)).entries["text", table.columns[0]]
    assert mean_epoch(entry, 0.5) == pytest.approx(2.0)  # of 1, 2 and 4
    assert mean_epoch(entry, 0.1) is None  # no seed reaches it
    assert mean_epoch(entry, 3.0) == pytest.approx(1.0)


@pytest.mark.parametrize("losses", [[0.5], [0.5, 0.5, 0.5], [0.0, 0.0], [1.0, 0.0]])
def test_curves_that_are_flat_short_or_zero(losses: list[float]) -> None:
    results = make_results(task_of(report=ASKED, seeds=1), few_shot_accuracy,
                           curve=lambda _: losses)  # fmt: skip
    (figure,) = loss_figures(results, build_table(results))
    assert "Dashed" not in figure.caption
