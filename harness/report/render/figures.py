"""The pictures of a report, as PNG bytes that depend on the table and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.report.model.results import Study
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.correlation import correlation_maps
from harness.report.render.curves import loss_curves
from harness.report.render.markdown import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Okabe and Ito's palette, told apart with any colour vision; its pale ones darkened for text.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B0558C", "#000000", "#3D9AD1", "#C08400", "#7A4A12")
MARKERS = "osD^vPX*"
GREY = "#555555"
_MOST_LINES = 12
_ACROSS = 4  # panels beside one another
_AXIS = "Top-1 accuracy (points)"


def draw(study: Study, table: Table) -> list[Figure]:
    """Accuracy, differences to the reference and correlation maps; what has no data is left out."""
    made = [
        _accuracy(table), _differences(table), loss_curves(study, table, COLOURS),
        correlation_maps(study, table),
    ]  # fmt: skip
    return [figure for figure in made if figure is not None]


def _accuracy(table: Table) -> Figure | None:
    drawn = [r for r in table.rows if any(table.summary(r, label) for label in table.labels)]
    if not drawn:
        return None
    bars = (
        "ranges over class draws"
        if table.columns[0].draw is not None
        else "95% intervals. They are of one row each: those of two rows may overlap although "
        "their paired difference is clear"
    )
    if len(table.labels) == 1:
        return Figure("accuracy.png", f"Top-1 accuracy with {bars}", _dots(table, drawn))
    axis = table.column_axes[0] if len(table.column_axes) == 1 else ""
    over = {"shots": " over the number of shots", "fraction": " over the fraction of the data"}
    text = f"Top-1 accuracy{over.get(axis, '')} with {bars}"
    if len(drawn) > _MOST_LINES:
        return Figure("accuracy.png", text, _panels(table, drawn))
    return Figure("accuracy.png", text, _lines(table, drawn))


def _dots(table: Table, drawn: Sequence[str]) -> bytes:
    figure = canvas(7.0, 1.0 + 0.34 * len(drawn))
    axes = figure.subplots()
    for i, row in enumerate(drawn):
        found = table.summary(row, table.labels[0])
        assert found is not None
        _interval(axes, i, found, COLOURS[0])
    _rows_on_y(axes, drawn)
    axes.set_xlabel(_AXIS)
    return png(figure)


def _panels(table: Table, drawn: Sequence[str]) -> bytes:
    """A panel a column: so many lines could not be followed."""
    across = min(_ACROSS, len(table.labels))
    down = -(-len(table.labels) // across)
    figure = canvas(2.4 + 2.3 * across, 0.6 + down * (0.6 + 0.2 * len(drawn)))
    grid = figure.subplots(down, across, sharey=True, sharex=True, squeeze=False)
    for axes in grid.flat[len(table.labels) :]:
        axes.set_visible(False)
    for axes, label in zip(grid.flat, table.labels, strict=False):
        for i, row in enumerate(drawn):
            if found := table.summary(row, label):
                _interval(axes, i, found, COLOURS[0])
        axes.set_title(label, fontsize=10)
        _rows_on_y(axes, drawn)
    figure.supxlabel(_AXIS, fontsize=10)
    return png(figure)


def _lines(table: Table, drawn: Sequence[str]) -> bytes:
    height = max(4.4, 0.3 * len(drawn) + 1.5)
    figure = canvas(8.0, height)
    axes = figure.subplots()
    # A line between two data sets would say that there is something between them.
    joined = set(table.column_axes) <= {"shots", "fraction", "regime"}
    ends: list[tuple[str, float, float, str]] = []
    for i, row in enumerate(drawn):
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
        style = ("-", "--", ":")[i // len(COLOURS) % 3] if joined else "none"
        shift = 0.045 * (i - (len(drawn) - 1) / 2)
        found = [table.summary(row, label) for label in table.labels]
        xs = [x + shift for x in range(len(found))]
        # Not a number where something is missing: the line breaks there.
        ys = [math.nan if s is None else 100 * s[0] for s in found]
        axes.plot(xs, ys, style, color=colour, marker=marker, markersize=4.5, linewidth=1.4)
        for x, bounds in zip(xs, found, strict=True):
            if bounds is not None and bounds[1] is not None and bounds[2] is not None:
                low, high = 100 * bounds[1], 100 * bounds[2]
                axes.vlines(x, low, high, color=colour, linewidth=1.0, alpha=0.6)
        x_end, y_end = [(x, y) for x, y in zip(xs, ys, strict=True) if not math.isnan(y)][-1]
        ends.append((row, x_end, y_end, colour))
    last = len(table.labels) - 1
    axes.set_xticks(range(last + 1), list(table.labels))
    axes.set_xlim(-0.3, last + 0.3)
    axes.set_ylabel(_AXIS)
    _plain(axes)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
    if len(table.labels) > 3 and max(map(len, table.labels)) > 12:
        axes.tick_params(axis="x", rotation=20)
    _label_ends(axes, ends, last, height - 0.9)
    return png(figure)


def _label_ends(
    axes: Axes, ends: Sequence[tuple[str, float, float, str]], last: int, height: float
) -> None:
    """A name at the end of each line, moved apart until none touches another.

    `height` is that of the axes, in inches.
    """
    low, high = axes.get_ylim()
    step = (high - low) / height * 0.165
    order = sorted(ends, key=lambda end: end[2])
    places = spread([end[2] for end in order], step, low, high)
    for (row, x, y, colour), place in zip(order, places, strict=True):
        axes.annotate(
            row,
            xy=(x, y),
            xytext=(last + 0.34, place),
            color=colour,
            fontsize=9,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.5,
                "shrinkA": 1, "shrinkB": 4,
            },
        )  # fmt: skip


def spread(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Ascending places at least `step` apart, as near to the ascending `wanted` as may be."""
    blocks: list[list[float]] = []  # (sum of wanted minus offset, number)
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
        out = [place - (out[-1] - high) for place in out]
    if out and out[0] < low:
        out = [place + (low - out[0]) for place in out]
    return out


def _start(block: Sequence[float], step: float) -> float:
    total, number = block
    return total / number - step * (number - 1) / 2


def _differences(table: Table) -> Figure | None:
    claims = [c for c in table.against if c.contrast.low is not None]
    if not claims or table.draws:
        return None
    columns = list(dict.fromkeys(c.column for c in claims))
    rows = [r for r in table.rows if any(c.contrast.a == r for c in claims)]
    across = min(_ACROSS, len(columns))
    down = -(-len(columns) // across)
    width = 1.8 + 2.3 * across + (2.2 if across == 1 else 0)
    figure = canvas(width, 0.6 + down * (0.6 + 0.32 * len(rows)))
    grid = figure.subplots(down, across, sharey=True, sharex=True, squeeze=False)
    for axes in grid.flat[len(columns) :]:
        axes.set_visible(False)
    for axes, column in zip(grid.flat, columns, strict=False):
        for claim in (c for c in claims if c.column == column):
            c = claim.contrast
            clear = c.p_adjusted is not None and c.p_adjusted <= 0.05
            _interval(axes, rows.index(c.a), (c.difference, c.low, c.high),
                      COLOURS[0] if clear else GREY, filled=clear)  # fmt: skip
        axes.axvline(0, color="#999999", linewidth=1.0, zorder=0)
        if column.label != "all":
            axes.set_title(column.label, fontsize=10)
        _rows_on_y(axes, rows)
    figure.supxlabel(f"Difference to {table.reference} (points)", fontsize=10)
    text = f"Differences to {table.reference} with 95% intervals. "
    if any(c.contrast.p is not None for c in claims):
        text += "Filled and blue: adjusted p at most 0.05; hollow and grey: not decided. "
        text += "Intervals are not adjusted: one may leave out 0 where adjusted p is above 0.05"
    else:
        text += "Descriptive: too few seeds for a p"
    return Figure("differences.png", text, png(figure))


def _interval(
    axes: Axes,
    y: int,
    found: tuple[float, float | None, float | None],
    colour: str,
    *,
    filled: bool = True,
) -> None:
    mean, low, high = found
    if low is not None and high is not None:
        axes.hlines(y, 100 * low, 100 * high, color=colour, linewidth=1.6)
    axes.plot([100 * mean], [y], "o", color=colour, markersize=6,
              markerfacecolor=colour if filled else "white")  # fmt: skip


def _rows_on_y(axes: Axes, rows: Sequence[str]) -> None:
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    _plain(axes)
    axes.tick_params(axis="y", length=0)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
