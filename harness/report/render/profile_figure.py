"""The performance profile: on how many data sets (or class draws) a row is near the best row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.report.model.average import Average
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import (
    GRID,
    MOST_LINES,
    line_of_row,
    numbers_below,
    without_box,
)
from harness.report.render.wrap import LINE, NAME_WIDTH, lines_of, names_inches, wrapped
from harness.stats.profiles import behind_best

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.core.samples import FloatArray

_MOST_ACROSS = 3
_TITLE_WIDTH = 34


def profile_figure(table: Table) -> Figure | None:
    """None with fewer than two rows that have a mean, or with more than MOST_LINES."""
    found = table.average
    if found is None:
        return None
    columns = [c for c in found.columns if sum(c == other for _, other in found.values) > 1]
    rows = [r for r in table.rows if any((r, c) in found.values for c in columns)]
    if not rows or len(rows) > MOST_LINES:
        return None
    down = -(-len(columns) // _MOST_ACROSS)
    across = -(-len(columns) // down)
    legend = 0.9 + names_inches(rows)
    width = 3.2 if across > 1 else 5.0
    figure = canvas(
        width * across + legend, max(3.2 * down, (0.05 + LINE * lines_of(rows)) * len(rows) + 0.6)
    )
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(columns) :]:
        axes.set_visible(False)
    numbers_below(grid, len(columns))
    end = 1.04 * max(1.0, *(100 * float(_behind(found, c, rows).max()) for c in columns))
    for axes, column in zip(grid.flat, columns, strict=False):
        _draw(axes, found, column, rows, end)
    one = found.kinds.replace("s or", " or").removesuffix("s")
    figure.supxlabel(f"Points below the best row of a {one}", fontsize=10)
    figure.supylabel(f"Share of {found.kinds} (%)", fontsize=10)
    handles = {line.get_label(): line for axes in grid.flat for line in axes.lines}
    figure.legend([handles[row] for row in rows], [wrapped(row, NAME_WIDTH) for row in rows],
                  loc="outside right upper", frameon=False, fontsize=9)  # fmt: skip
    text = (
        f"Performance profile over {found.noun}. The share of {found.kinds} on which a row is at "
        f"most so many points below the best row of the {one}. At 0: how often it is the best. A "
        f"line that is higher everywhere is better. It describes these {found.kinds}."
    )
    return Figure("mean_profile.png", text, png(figure))


def _behind(found: Average, column: Column, rows: list[str]) -> FloatArray:
    """Of the rows that have a mean, in their order."""
    scores_KM = [found.values[row, column] for row in rows if (row, column) in found.values]
    return behind_best(np.array(scores_KM).T)


def _draw(axes: Axes, found: Average, column: Column, rows: list[str], end: float) -> None:
    shown = [row for row in rows if (row, column) in found.values]
    behind_MK = 100 * _behind(found, column, rows)
    for row, behind_M in zip(shown, behind_MK.T, strict=True):
        colour, marker, dashes = line_of_row(rows.index(row))
        at = np.unique(np.concatenate([[0.0], behind_M, [end]]))
        share = [100 * float((behind_M <= x).mean()) for x in at]
        steps = [int(i) for i in np.flatnonzero(np.isin(at, behind_M))]
        axes.step(at, share, where="post", color=colour, linestyle=dashes, linewidth=1.4,
                  marker=marker, markersize=3.5, markevery=steps, label=row)  # fmt: skip
    axes.set_ylim(-3, 103)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    without_box(axes)
    if column.label != "all":
        axes.set_title(wrapped(column.label, _TITLE_WIDTH), fontsize=10)
