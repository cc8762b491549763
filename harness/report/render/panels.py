"""Panels of a figure with rows on the y axis, one panel for each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.report.model.labels import Column
from harness.report.render.canvas import canvas
from harness.report.render.pictures import Picture, pictures
from harness.report.render.style import (
    MOST_ACROSS,
    TITLE_WIDTH,
    numbers_below,
)
from harness.report.render.wrap import LINE, lines_of, names_inches, row_inches, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure


def panel_pictures(columns: Sequence[Column], rows: Sequence[str]) -> list[Picture[Column]]:
    """What each picture of `row_panels` has to show, so that none is too high."""
    return pictures(
        rows, columns, across=min(MOST_ACROSS, len(columns)),
        row_high=_row_high(rows), title_high=_title_high(columns),
    )  # fmt: skip


def row_panels(
    columns: Sequence[Column], rows: Sequence[str], *, extra: float = 0.0, share_y: bool = True
) -> tuple[MatplotlibFigure, list[Axes]]:
    """A figure with a titled panel for each column, wide enough for the names of `rows`; `extra` is
    width beside each, in inches.
    """
    across = min(MOST_ACROSS if share_y else 2, len(columns))
    down = -(-len(columns) // across)
    names = max(1.2, names_inches(rows))
    width = (
        (names if share_y else names * across)
        + (2.3 + extra) * across
        + (2.2 if across == 1 else 0)
    )
    figure = canvas(width, 0.7 + down * (_title_high(columns) + _row_high(rows) * len(rows)))
    grid = figure.subplots(down, across, sharey=share_y, sharex=True, squeeze=False)
    numbers_below(grid, len(columns))
    return figure, titled(grid, columns)


def _row_high(rows: Sequence[str]) -> float:
    return row_inches(rows, 0.3)


def _title_high(columns: Sequence[Column]) -> float:
    return 0.43 + LINE * lines_of([c.label for c in columns], TITLE_WIDTH)


def titled(grid: np.ndarray[Any, Any], columns: Sequence[Column]) -> list[Axes]:
    """The panels of a grid, one for each column, with their titles; the others are hidden."""
    for axes in grid.flat[len(columns) :]:
        axes.set_visible(False)
    panels = list(grid.flat[: len(columns)])
    for axes, column in zip(panels, columns, strict=True):
        if column.label != "all":
            axes.set_title(wrapped(column.label, TITLE_WIDTH), fontsize=10)
    return panels
