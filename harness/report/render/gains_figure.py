"""Differences in accuracy class by class, sorted: is a gain that of a few classes or of all?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.model.class_gains import ClassGains, ColumnGains, class_gains
from harness.report.model.figure import Figure
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import (
    COLOURS,
    GRID,
    numbers_below,
    without_box,
)
from harness.report.render.wrap import LINE, lines_of, wrapped
from harness.report.text.class_gains import gains_caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "classes.png"
#: Fewer classes are in the table.
LEAST_CLASSES = 10
_MOST_ROWS, _MOST_ACROSS, _TITLE_WIDTH = 6, 3, 30


def gains_figure(results: Results, table: Table) -> Figure | None:
    """None with fewer than LEAST_CLASSES classes, or where no class changes."""
    found = class_gains(results, table)
    if found is None or len(found.rows[0].classes) < LEAST_CLASSES:
        return None
    rows = found.rows[:_MOST_ROWS]
    return Figure(NAME, gains_caption(found, [g.row for g in rows]), _draw(found, rows))


def _draw(found: ColumnGains, rows: tuple[ClassGains, ...]) -> bytes:
    across = min(_MOST_ACROSS, len(rows))
    down = -(-len(rows) // across)
    titles = LINE * (1 + lines_of([g.row for g in rows], _TITLE_WIDTH))
    width = 5.0 if across == 1 else 2.7
    figure = canvas(width * across + 0.8, down * (2.2 + titles) + 0.4)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(rows) :]:
        axes.set_visible(False)
    for axes, gains in zip(grid.flat, rows, strict=False):
        _draw_panel(axes, gains)
    numbers_below(grid, len(rows))
    figure.supxlabel("Classes, sorted by their difference", fontsize=10)
    figure.supylabel(f"Difference from {wrapped(found.base, 24)}\n(points)", fontsize=10)
    return png(figure)


def _draw_panel(axes: Axes, gains: ClassGains) -> None:
    heights = [100 * c.difference for c in gains.classes]
    colours = [COLOURS[0] if height > 0 else COLOURS[1] for height in heights]
    axes.bar(range(1, len(heights) + 1), heights, width=0.9, color=colours)
    axes.axhline(0, color="#999999", linewidth=0.8)
    up, equal, down = gains.counts
    axes.set_title(f"{wrapped(gains.row, _TITLE_WIDTH)}\n{up} higher, {equal} equal, {down} lower",
                   fontsize=9)  # fmt: skip
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    without_box(axes)
