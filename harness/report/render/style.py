"""What the figures of a report share: colours, and axes with rows on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.report.render.wrap import NAME_WIDTH, wrapped

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

#: The palette of Okabe and Ito, distinguishable with any colour vision; pale ones are darkened.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B0558C", "#000000", "#3D9AD1", "#C08400", "#7A4A12")
MARKERS = "osD^vPX*"
DASHES = ("-", "--", "-.", ":")
GREY, GRID = "#555555", "#e5e5e5"
#: Panels in a line of a figure.
MOST_ACROSS = 4
#: More lines than these cannot be followed.
MOST_LINES = 12
#: Characters in a line of the title of a panel of rows, which is 2.3 inches wide.
TITLE_WIDTH = 26
TOP1_AXIS = "Top-1 accuracy (points)"


def line_of_row(i: int) -> tuple[str, str, str]:
    """(colour, marker, dashes) of the i-th row that is drawn, the same in every figure.

    Colour and marker together are of one row among 64, colour and dashes of one among 32.
    """
    turn, place = divmod(i, len(COLOURS))
    # Every turn through the colours begins with another marker.
    return COLOURS[place], MARKERS[(place + turn) % len(MARKERS)], DASHES[turn % len(DASHES)]


#: (mean, low, high) as fractions; low and high None without an interval.
Summary = tuple[float, float | None, float | None]


def draw_interval(
    axes: Axes, y: int, summary: Summary, colour: str, *, filled: bool = True
) -> None:
    """A mean with its interval, in points, at height `y`."""
    draw_intervals(axes, {y: summary}, colour, filled=filled)


def draw_intervals(
    axes: Axes, summaries: Mapping[int, Summary], colour: str, *, filled: bool = True
) -> None:
    """The same at every height; at once, as each call of matplotlib takes milliseconds."""
    bounds = [
        (y, 100 * low, 100 * high)
        for y, (_, low, high) in summaries.items()
        if low is not None and high is not None
    ]
    if bounds:
        axes.hlines(*zip(*bounds, strict=True), color=colour, linewidth=1.6)
    means = [100 * mean for mean, _, _ in summaries.values()]
    axes.plot(means, list(summaries), "o", color=colour, markersize=6,
              markerfacecolor=colour if filled else "white")  # fmt: skip


def rows_on_y(axes: Axes, rows: Sequence[str]) -> None:
    """Names of rows down the y axis, the first on top."""
    axes.set_yticks(range(len(rows)), [wrapped(row, NAME_WIDTH) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    without_box(axes)
    axes.tick_params(axis="y", length=0)


def numbers_below(grid: np.ndarray[Any, Any], shown: int) -> None:
    """Panels that share their x axis, `shown` of the places of `grid`, the others hidden: numbers
    below the lowest panel of every column, also where the last line of panels does not reach it.
    """
    for place, axes in enumerate(grid.flat[:shown]):
        axes.tick_params(labelbottom=place + grid.shape[1] >= shown)


def without_box(axes: Axes) -> None:
    """Axes without their upper and right side."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
