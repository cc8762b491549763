"""Figures with more rows or columns than one picture can show."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from types import ModuleType

import pytest
from matplotlib.figure import Figure as MatplotlibFigure

from harness.report.model.figure import Figure
from harness.report.model.table import build_table
from harness.report.render import (
    accuracy_figure,
    difference_figure,
    improvement_figure,
    loss_figure,
    pictures,
)
from harness.report.render.pictures import MOST_HIGH, numbered
from harness.report.render.pictures import pictures as parted

from ..several_sets import names_of_sets, several
from ..studies import few_shot
from .extents import colliding, drawn, outside, panels, texts

SHAPES = [(1, 1, 1), (7, 20, 4), (100, 20, 4), (199, 5, 4), (1000, 3, 2), (5000, 1, 1)]


@pytest.mark.parametrize(("rows", "columns", "across"), SHAPES)
def test_every_row_of_every_column_is_in_one_picture_that_is_not_too_high(
    rows: int, columns: int, across: int
) -> None:
    names, numbers = [f"row {i}" for i in range(rows)], list(range(columns))
    parts = parted(names, numbers, across=across, row_high=0.2, title_high=0.6)
    shown = [pair for part in parts for pair in product(part.rows, part.columns)]
    assert sorted(shown) == sorted(product(names, numbers))
    for part in parts:
        down = -(-len(part.columns) // across)
        assert down * (0.6 + 0.2 * len(part.rows)) <= MOST_HIGH
    # Nearly equal: no picture with a single line after full ones.
    heights = [-(-len(p.columns) // across) * len(p.rows) for p in parts]
    assert max(heights) <= 2 * min(heights) + len(parts[0].rows)


def test_a_figure_that_fits_is_one_picture() -> None:
    (part,) = parted(["a", "b"], ["x", "y", "z"], across=2, row_high=0.3, title_high=0.6)
    assert (part.rows, part.columns) == (["a", "b"], ["x", "y", "z"])
    assert numbered("a.png", "Text.", [b"1"]) == [Figure("a.png", "Text.", b"1")]


def test_pictures_of_a_figure_have_numbers() -> None:
    assert numbered("a.png", "Text.", [b"1", b"2"]) == [
        Figure("a.png", "Text. Picture 1 of 2.", b"1"),
        Figure("a_2.png", "Text. Picture 2 of 2.", b"2"),
    ]


def _accuracy() -> list[Figure]:
    return accuracy_figure.accuracy_figures(build_table(few_shot()))


def _accuracy_of_one_column() -> list[Figure]:
    return accuracy_figure.accuracy_figures(build_table(few_shot(task={"shots": 1})))


def _differences() -> list[Figure]:
    return difference_figure.difference_figures(build_table(few_shot()))


def _improvement() -> list[Figure]:
    results = several("new_datasets", datasets=names_of_sets(3), rows=6)
    return improvement_figure.improvement_figures(build_table(results))


@pytest.mark.parametrize(
    ("module", "figures_of", "most"),
    [
        (accuracy_figure, _accuracy, 2.0),
        (accuracy_figure, _accuracy_of_one_column, 2.5),
        (difference_figure, _differences, 2.0),
        (improvement_figure, _improvement, 2.0),
    ],
)
def test_pictures_have_one_axis_and_all_rows_and_columns(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    figures_of: Callable[[], list[Figure]],
    most: float,
) -> None:
    monkeypatch.setattr(accuracy_figure, "MOST_LINES", 2)
    (whole,) = _drawn(monkeypatch, module, figures_of)
    monkeypatch.setattr(pictures, "MOST_HIGH", most)
    several_of_it = _drawn(monkeypatch, module, figures_of)
    assert len(several_of_it) > 1
    shown = {text for figure in several_of_it for text in texts(figure)}
    assert {t.get_text() for axes in whole.axes for t in axes.get_yticklabels()} <= shown
    assert {axes.get_title() for axes in panels(whole)} - {""} <= shown
    assert len({axes.get_xlim() for figure in several_of_it for axes in panels(figure)}) == 1
    for figure in several_of_it:
        assert (colliding(figure), outside(figure)) == ([], [])


def test_curves_of_many_columns_are_several_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    def curves() -> list[Figure]:
        report = {"rows": "classifier", "columns": "shots", "curves": True}
        task = {"report": report, "shots": [1, 2, 4, 8]}
        results = few_shot(task=task, curve=lambda _: [3.0, 2.0, 1.0])
        return loss_figure.loss_figures(results, build_table(results))

    monkeypatch.setattr(pictures, "MOST_HIGH", 4.0)
    figures = _drawn(monkeypatch, loss_figure, curves)
    assert [len(panels(figure)) for figure in figures] == [3, 1]


def _drawn(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, figures_of: Callable[[], list[Figure]]
) -> list[MatplotlibFigure]:
    with monkeypatch.context() as patch:
        found = drawn(patch, module)
        made = figures_of()
    assert len(made) == len(found)
    return found
