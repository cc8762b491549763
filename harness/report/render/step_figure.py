"""Top-1 accuracy over the step size, or over the strength of a penalty: one line per row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.report.model.figure import Figure
from harness.report.model.step_sizes import PENALTY, StepPanel, StepSizes, budgets, step_sizes
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import GRID, MOST_LINES, TOP1_AXIS, line_of_row, without_box
from harness.report.render.wrap import LINE, NAME_WIDTH, lines_of, names_inches, wrapped
from harness.report.text.axes import axis_title
from harness.report.text.prose import listing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ACROSS = 3
_TITLE_WIDTH = 36
#: With more values than these only some are written at the axis.
_MOST_TICKS = 5
#: How far two rows are apart, and the first and the last, as shares of the least distance of two
#: values.
_SHIFT, _SPREAD = 0.12, 0.4


def step_figure(table: Table) -> Figure | None:
    """None unless a step size with several values is among the columns; MOST_LINES rows at most."""
    sizes = step_sizes(table)
    drawn = [r for r in table.rows if any(table.summary(r, label) for label in table.labels)]
    if sizes is None or not drawn or len(drawn) > MOST_LINES:
        return None
    return Figure("step_size.png", _caption(table, sizes), _draw(table, sizes, drawn))


def _caption(table: Table, sizes: StepSizes) -> str:
    over = "the strength of the penalty" if sizes.axis == PENALTY else "the learning rate"
    lengths = [] if sizes.axis == PENALTY else budgets(table)
    after = f" after {lengths[0]}" if len(lengths) == 1 else ""
    draws = table.columns[0].draw is not None
    text = f"Top-1 accuracy over {over} ({sizes.axis}){after}"
    text += " with ranges over class draws." if draws else " with 95% intervals."
    if len(lengths) > 1:
        text += f" Cells were trained for {listing(lengths)}: see Method."
    text += (
        " The axis is logarithmic; rows are shifted a little, so that their intervals can be seen."
    )
    if sizes.left_out:
        text += f" Not shown, as it is 0 or has no meaning there: {listing(sizes.left_out)}."
    return text


def _draw(table: Table, sizes: StepSizes, drawn: Sequence[str]) -> bytes:
    down = -(-len(sizes.panels) // _MOST_ACROSS)
    across = -(-len(sizes.panels) // down)
    legend = 0.9 + names_inches(drawn)
    width = 3.4 if across > 1 else 5.0
    figure = canvas(
        width * across + legend, max(3.4 * down, (0.05 + LINE * lines_of(drawn)) * len(drawn) + 0.6)
    )
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(sizes.panels) :]:
        axes.set_visible(False)
    for i, (axes, panel) in enumerate(zip(grid.flat, sizes.panels, strict=False)):
        _draw_panel(axes, table, panel, sizes, drawn)
        # Also where the panel below is empty.
        axes.tick_params(labelbottom=i + across >= len(sizes.panels))
    figure.supxlabel(axis_title(sizes.axis), fontsize=10)
    figure.supylabel(TOP1_AXIS, fontsize=10)
    handles = [line for line in grid.flat[0].lines if line.get_label() in drawn]
    names = [wrapped(str(line.get_label()), NAME_WIDTH) for line in handles]
    figure.legend(handles, names, loc="outside right upper", frameon=False, fontsize=9)
    return png(figure)


def _draw_panel(
    axes: Axes, table: Table, panel: StepPanel, sizes: StepSizes, drawn: Sequence[str]
) -> None:
    logs = [math.log10(value) for value in sizes.values]
    # Of few values far apart the rows would look like values of their own.
    gap = min(*(b - a for a, b in itertools.pairwise(logs)), (logs[-1] - logs[0]) / 3)
    step = gap * min(_SHIFT, _SPREAD / len(drawn))
    for i, row in enumerate(drawn):
        colour, marker, dashes = line_of_row(i)
        shift = 10 ** (step * (i - (len(drawn) - 1) / 2))
        xs, ys = [], []
        for value in (v for v in sizes.values if v in panel.labels):
            summary = table.summary(row, panel.labels[value])
            xs.append(value * shift)
            # Not a number where something is missing: the line breaks there.
            ys.append(math.nan if summary is None else 100 * summary[0])
            if summary is not None and summary[1] is not None and summary[2] is not None:
                axes.vlines(xs[-1], 100 * summary[1], 100 * summary[2], color=colour,
                            linewidth=1.0, alpha=0.6)  # fmt: skip
        axes.plot(xs, ys, label=row, linestyle=dashes, color=colour, marker=marker,
                  markersize=4.5, linewidth=1.4)  # fmt: skip
    _set_axes(axes, panel.title, sizes.values, gap)


def _set_axes(axes: Axes, title: str, values: Sequence[float], gap: float) -> None:
    axes.set_xscale("log")
    shown = _ticks(values)
    axes.set_xticks(shown, [f"{value:g}" for value in shown])
    axes.set_xticks(values, [""] * len(values), minor=True)
    axes.set_xlim(values[0] / 10 ** (gap / 2), values[-1] * 10 ** (gap / 2))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)
    axes.set_title(wrapped(title, _TITLE_WIDTH), fontsize=10)
    without_box(axes)


def _ticks(values: Sequence[float]) -> Sequence[float]:
    """The values that are written: of many the powers of ten, and of many of these some."""
    if len(values) > _MOST_TICKS:
        powers = [v for v in values if math.isclose(math.log10(v), round(math.log10(v)))]
        values = powers if len(powers) > 1 else values
    return values[:: -(-len(values) // _MOST_TICKS)]
