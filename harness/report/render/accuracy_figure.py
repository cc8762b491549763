"""Top-1 accuracy of every row: dots for one column, else lines, or panels for many rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.report.model.figure import Figure
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.pictures import numbered, pictures
from harness.report.render.style import (
    COLOURS,
    GRID,
    MOST_ACROSS,
    MOST_LINES,
    TITLE_WIDTH,
    TOP1_AXIS,
    draw_intervals,
    line_of_row,
    numbers_below,
    rows_on_y,
    without_box,
)
from harness.report.render.ticks import column_ticks
from harness.report.render.wrap import LINE, lines_of, names_inches, row_inches, wrapped
from harness.report.text.axes import columns_title, rows_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAME = "accuracy.png"
#: Inches; characters in a line of a name beside a line; inches from one such name to the next.
_WIDTH, _END_WIDTH, _NAME_STEP = 8.0, 24, 0.165


def accuracy_figures(table: Table) -> list[Figure]:
    """Means with their intervals; none where nothing is done, several where one picture would be
    too high.
    """
    drawn = [r for r in table.rows if any(table.summary(r, label) for label in table.labels)]
    if not drawn:
        return []
    bars = (
        "ranges over class draws."
        if table.columns[0].draw is not None
        else "95% intervals. Each interval is of one row: two intervals may overlap although the "
        "paired difference of their rows is significant."
    )
    if len(table.labels) == 1:
        return numbered(_NAME, f"Top-1 accuracy with {bars}", _dots(table, drawn))
    axis = table.column_axes[0] if len(table.column_axes) == 1 else ""
    over = {"shots": " over the number of shots", "fraction": " over the fraction of the data"}
    text = f"Top-1 accuracy{over.get(axis, '')} with {bars}"
    if len(drawn) > MOST_LINES:
        return numbered(_NAME, text, _panels(table, drawn))
    return [Figure(_NAME, text, _lines(table, drawn))]


def _dots(table: Table, drawn: Sequence[str]) -> Iterator[bytes]:
    row_high = row_inches(drawn, 0.34)
    parts = pictures(drawn, table.labels, across=1, row_high=row_high, title_high=1.0)
    limits = _range(table) if len(parts) > 1 else None
    for part in parts:
        figure = canvas(7.0, 1.0 + row_high * len(part.rows))
        axes = figure.subplots()
        _draw_rows(axes, table, part.rows, table.labels[0])
        if limits is not None:
            axes.set_xlim(limits)
        axes.set_xlabel(TOP1_AXIS)
        axes.set_ylabel(rows_title(table))
        yield png(figure)


def _panels(table: Table, drawn: Sequence[str]) -> Iterator[bytes]:
    """One panel per column: so many lines could not be followed."""
    across = min(MOST_ACROSS, len(table.labels))
    titles = 0.43 + LINE * lines_of(table.labels, TITLE_WIDTH)
    names = max(2.4, 0.5 + names_inches(drawn))
    high = row_inches(drawn, 0.2)
    parts = pictures(drawn, table.labels, across=across, row_high=high, title_high=titles)
    limits = _range(table) if len(parts) > 1 else None
    for part in parts:
        down = -(-len(part.columns) // across)
        figure = canvas(names + 2.3 * across, 0.6 + down * (titles + high * len(part.rows)))
        grid = figure.subplots(down, across, sharey=True, sharex=True, squeeze=False)
        for axes in grid.flat[len(part.columns) :]:
            axes.set_visible(False)
        for axes, label in zip(grid.flat, part.columns, strict=False):
            _draw_rows(axes, table, part.rows, label)
            axes.set_title(wrapped(label, TITLE_WIDTH), fontsize=10)
        if limits is not None:
            grid.flat[0].set_xlim(limits)
        numbers_below(grid, len(part.columns))
        figure.supxlabel(TOP1_AXIS, fontsize=10)
        figure.supylabel(rows_title(table), fontsize=10)
        yield png(figure)


def _draw_rows(axes: Axes, table: Table, rows: Sequence[str], label: str) -> None:
    summaries = {i: s for i, row in enumerate(rows) if (s := table.summary(row, label))}
    draw_intervals(axes, summaries, COLOURS[0])
    rows_on_y(axes, rows)


def _range(table: Table) -> tuple[float, float]:
    """From the lowest to the highest end of all intervals, in points, with some air: all pictures
    of a figure have the same axis.
    """
    found = [table.summary(row, label) for row in table.rows for label in table.labels]
    ends = [100 * end for summary in found if summary for end in summary if end is not None]
    air = 0.05 * (max(ends) - min(ends)) or 1.0
    return min(ends) - air, max(ends) + air


def _lines(table: Table, drawn: Sequence[str]) -> bytes:
    names = names_inches(drawn, _END_WIDTH)
    ticks = column_ticks(table.labels, (_WIDTH - 1.2 - names) / (len(table.labels) - 0.4))
    per_name = _NAME_STEP * lines_of(drawn, _END_WIDTH)
    inside = max(3.5, 1.5 * per_name * len(drawn))
    figure = canvas(_WIDTH, inside + 0.6 + ticks.height)
    axes = figure.subplots()
    # A line between two data sets would suggest values between them.
    joined = set(table.column_axes) <= {"shots", "fraction", "regime"}
    ends: list[tuple[str, float, float, str]] = []
    for i, row in enumerate(drawn):
        colour, marker, dashes = line_of_row(i)
        style = dashes if joined else "none"
        shift = 0.045 * (i - (len(drawn) - 1) / 2)
        summaries = [table.summary(row, label) for label in table.labels]
        # Rows are shifted a little, so that their intervals do not cover each other.
        xs = [x + shift for x in range(len(summaries))]
        # Not a number where something is missing: the line breaks there.
        ys = [math.nan if s is None else 100 * s[0] for s in summaries]
        axes.plot(
            xs, ys, linestyle=style, color=colour, marker=marker, markersize=4.5, linewidth=1.4
        )
        for x, bounds in zip(xs, summaries, strict=True):
            if bounds is not None and bounds[1] is not None and bounds[2] is not None:
                low, high = 100 * bounds[1], 100 * bounds[2]
                axes.vlines(x, low, high, color=colour, linewidth=1.0, alpha=0.6)
        x_end, y_end = [(x, y) for x, y in zip(xs, ys, strict=True) if not math.isnan(y)][-1]
        ends.append((row, x_end, y_end, colour))
    last = len(table.labels) - 1
    axes.set_xticks(range(last + 1), ticks.labels, **ticks.style)
    axes.set_xlabel(columns_title(table))
    axes.set_xlim(-0.3, last + 0.3)
    axes.set_ylabel(TOP1_AXIS)
    without_box(axes)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    _label_ends(axes, ends, last, per_name / inside)
    return png(figure)


def _label_ends(
    axes: Axes, ends: Sequence[tuple[str, float, float, str]], last: int, share: float
) -> None:
    """A name at the end of each line, moved apart until none touches another.

    `share` is that of the height of the axes which a name takes.
    """
    low, high = axes.get_ylim()
    step = (high - low) * share
    order = sorted(ends, key=lambda end: end[2])
    heights = spread([end[2] for end in order], step, low, high)
    for (row, x, y, colour), label_y in zip(order, heights, strict=True):
        axes.annotate(
            wrapped(row, _END_WIDTH),
            xy=(x, y),
            xytext=(last + 0.34, label_y),
            color=colour,
            fontsize=9,
            va="center",
            annotation_clip=False,
            # To the left edge of the name, which all share: the line crosses no other name.
            arrowprops={
                "arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.5,
                "shrinkA": 1, "shrinkB": 4, "relpos": (0.0, 0.5),
            },
        )  # fmt: skip


def spread(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Ascending values at least `step` apart, as near to the ascending `wanted` as possible.

    Pool adjacent violators: labels that would touch become a block, centred on what they want.
    They are then moved into [low, high] where they fit.
    """
    blocks: list[list[float]] = []  # (sum of wanted, number of labels)
    for value in wanted:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and _start(blocks[-1], step) < (
            _start(blocks[-2], step) + step * blocks[-2][1]
        ):
            total, number = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += number
    out: list[float] = []
    for block in blocks:
        start = _start(block, step)
        out += [start + step * i for i in range(int(block[1]))]
    if out and out[-1] > high:
        out = [value - (out[-1] - high) for value in out]
    if out and out[0] < low:
        out = [value + (low - out[0]) for value in out]
    return out


def _start(block: Sequence[float], step: float) -> float:
    total, number = block
    return total / number - step * (number - 1) / 2
