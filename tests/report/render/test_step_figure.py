"""The figure over step sizes: what it draws where."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.table import Table, build_table
from harness.report.render import step_figure as module
from harness.report.render.figures import draw
from harness.report.render.step_figure import step_figure
from harness.report.render.style import COLOURS

from ..model.test_step_sizes import CONVEX, STEPS, accuracy, table_of
from ..studies import make_results, task_of


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The Matplotlib figures, which are not rendered."""
    figures: list[Any] = []
    monkeypatch.setattr(module, "png", lambda figure: figures.append(figure) or b"")
    return figures


def lines_of(axes: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in axes.lines}


def test_a_line_for_every_row_in_every_panel(drawn: list[Any]) -> None:
    table = table_of()
    figure = step_figure(table)
    assert figure is not None
    assert figure.alt == (
        "Top-1 accuracy over the learning rate (recipe.lr) after 60 epochs with 95% intervals"
    )
    assert [axes.get_title() for axes in drawn[0].axes] == ["1 shot", "4 shots"]
    for axes, shots in zip(drawn[0].axes, ("1 shot", "4 shots"), strict=True):
        assert axes.get_xscale() == "log"
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.01", "0.1", "1"]
        assert len(axes.collections) == 6, "an interval for every point"
        for i, (row, line) in enumerate(lines_of(axes).items()):
            means = [table.summary(row, f"{shots} · lr={lr}") for lr in ("0.01", "0.1", "1")]
            assert list(line.get_ydata()) == pytest.approx([100 * m[0] for m in means if m])
            assert list(line.get_xdata()) == pytest.approx([0.01, 0.1, 1], rel=0.2)
            assert line.get_color() == COLOURS[i]
    (legend,) = drawn[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["text", "random"]


def test_a_missing_entry_breaks_the_line(drawn: list[Any]) -> None:
    def status(cell: Cell) -> str:
        gone = cell.recipe is not None and cell.recipe.lr == 0.1 and str(cell.classifier) == "text"
        return "missing" if gone else "done"

    step_figure(table_of(status))
    ys = lines_of(drawn[0].axes[0])["text"].get_ydata()
    assert [math.isnan(y) for y in ys] == [False, True, False]


def test_captions(drawn: list[Any]) -> None:
    def caption(**task: Any) -> str:
        figure = step_figure(table_of(**task))
        assert figure is not None
        return figure.caption

    assert caption(**CONVEX).startswith(
        "Top-1 accuracy over the strength of the penalty (recipe.l2) with 95% intervals."
    )
    two = caption(recipe={"lr": [0.1, 1], "iterations": [100, 200]})
    assert "Cells were trained for 100 iterations and 200 iterations" in two
    zero = caption(recipe={"lr": [0, 0.1, 1]}, shots=1)
    assert zero.endswith("Not shown, as it is 0 or has no meaning there: 1 shot · lr=0.")
    assert "with ranges over class draws." in caption(class_seed=[0, 1])


def test_every_panel_without_one_below_has_its_ticks(drawn: list[Any]) -> None:
    step_figure(table_of(shots=[1, 2, 4, 8, 16]))
    shown = [axes for axes in drawn[0].axes if axes.get_visible()]
    labelled = [axes.xaxis.get_tick_params()["labelbottom"] for axes in shown]
    assert labelled == [False, False, True, True, True]


def test_many_values_are_not_all_written() -> None:
    assert module._ticks([1e-4, 3e-4, 1e-3]) == [1e-4, 3e-4, 1e-3]
    assert module._ticks([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]) == [1e-4, 1e-3, 1e-2]
    assert module._ticks([1, 2, 3, 4, 5, 6]) == [1, 3, 5]


def test_none_without_step_sizes_results_or_with_too_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing: Table = table_of(lambda _: "missing")
    assert step_figure(nothing) is None
    assert step_figure(table_of(recipe={"lr": 0.1})) is None
    monkeypatch.setattr(module, "MOST_LINES", 1)
    assert step_figure(table_of()) is None


def test_it_is_among_the_figures_of_a_report() -> None:
    task = task_of(**STEPS | {"classifier": "text", "shots": 1})
    results = make_results(task, accuracy)
    figures = {f.name: f for f in draw(results, build_table(results))}
    assert figures["step_size.png"].png.startswith(b"\x89PNG")
