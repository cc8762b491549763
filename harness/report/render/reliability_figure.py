"""Reliability diagrams: accuracy over confidence, one panel for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.model.figure import Figure
from harness.report.model.reliability import BINS, Diagrams, Reliability, reliability
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import (
    COLOURS,
    GREY,
    GRID,
    numbers_below,
    without_box,
)
from harness.report.render.wrap import LINE, lines_of, wrapped
from harness.report.text.numbers import points
from harness.report.text.precision import table_digits
from harness.report.text.prose import in_column, listing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "reliability.png"
_MOST_ACROSS, _TITLE_WIDTH = 3, 30
#: Area of the dot that has all predictions, in square points.
_AREA = 400.0
_BEYOND, _TICKS = 9, (0, 25, 50, 75, 100)


def reliability_figure(results: Results, table: Table) -> Figure | None:
    """None where Records have no confidences, or these are near the accuracies."""
    found = reliability(results, table)
    if found is None:
        return None
    return Figure(NAME, _caption(found), _draw(found, table_digits(table)))


def _caption(found: Diagrams) -> str:
    where = f" {in_column(str(found.column))}".rstrip()
    text = (
        f"Reliability diagrams{where}: accuracy over confidence, the largest probability of a "
        f"prediction, in {BINS} bins of equal width, over all seeds and items. On the dashed line "
        "both are equal; below it a row is overconfident. The area of a dot is the share of the "
        "predictions in its bin: small ones are noise. ECE: expected calibration error, mean over "
        "seeds, which few items put above 0 for a calibrated row too. Descriptive."
    )
    if found.left_out:
        text += f" Not shown, as their calibration error is smaller: {listing(found.left_out)}."
    return text


def _draw(found: Diagrams, digits: int) -> bytes:
    across = min(_MOST_ACROSS, len(found.rows))
    down = -(-len(found.rows) // across)
    titles = LINE * (1 + lines_of([r.row for r in found.rows], _TITLE_WIDTH))
    figure = canvas(2.6 * across + 0.8, down * (2.5 + titles) + 0.4)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(found.rows) :]:
        axes.set_visible(False)
    for axes, row in zip(grid.flat, found.rows, strict=False):
        _draw_panel(axes, row, digits)
    numbers_below(grid, len(found.rows))
    figure.supxlabel("Confidence (%)", fontsize=10)
    figure.supylabel("Accuracy (points)", fontsize=10)
    return png(figure)


def _draw_panel(axes: Axes, row: Reliability, digits: int) -> None:
    xs, ys = [100 * b.confidence for b in row.bins], [100 * b.accuracy for b in row.bins]
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.plot(xs, ys, color=COLOURS[0], linewidth=1.0, zorder=2)
    axes.scatter(xs, ys, s=[max(6.0, _AREA * b.share) for b in row.bins], color=COLOURS[0],
                 alpha=0.6, linewidth=0, zorder=3, clip_on=False)  # fmt: skip
    axes.set_title(f"{wrapped(row.row, _TITLE_WIDTH)}\nECE {points(row.error, digits)}", fontsize=9)
    # Beyond 0 and 100 by the radius of the largest dot, which may be at either end.
    axes.set_xlim(-_BEYOND, 100 + _BEYOND)
    axes.set_ylim(-_BEYOND, 100 + _BEYOND)
    axes.set_xticks(_TICKS)
    axes.set_yticks(_TICKS)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    without_box(axes)
