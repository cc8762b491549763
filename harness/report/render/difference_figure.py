"""Differences from the reference with their intervals, one panel per column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.outcomes import Contrast
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.panels import titled
from harness.report.render.style import (
    COLOURS,
    GREY,
    GRID,
    MOST_ACROSS,
    TITLE_WIDTH,
    draw_interval,
    numbers_below,
    rows_on_y,
)
from harness.report.render.wrap import LINE, lines_of, names_inches, row_inches
from harness.report.text.axes import rows_title
from harness.report.text.notes import NOT_ADJUSTED
from harness.stats import family

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

#: From where to where the axis of a panel goes, in points.
Range = tuple[float, float]
#: Panels share a range that is at most so many times that of the narrowest.
_MOST_SHRUNK = 3
#: Inches that the numbers below a panel take.
_NUMBERS = 0.2


def difference_figure(table: Table) -> Figure | None:
    """None without a reference, or without an interval; class draws have a table instead."""
    shown = [c for c in table.against if c.contrast.low is not None]
    if not shown or table.draws:
        return None
    margin = table.task.report.margin
    columns = list(dict.fromkeys(c.column for c in shown))
    contrasts = {column: [c.contrast for c in shown if c.column == column] for column in columns}
    ranges = panel_ranges([_range(of_column, margin) for of_column in contrasts.values()])
    own = len(set(ranges)) > 1
    rows = [r for r in table.rows if any(c.contrast.a == r for c in shown)]
    figure, panels = _canvas(columns, rows, own=own)
    for axes, of_column, limits in zip(panels, contrasts.values(), ranges, strict=True):
        for c in of_column:
            significant = family.sign(c) != 0
            draw_interval(axes, rows.index(c.a), (c.difference, c.low, c.high),
                          COLOURS[0] if significant else GREY, filled=significant)  # fmt: skip
        axes.axvline(0, color="#999999", linewidth=1.0, zorder=0)
        if margin is not None:
            axes.axvspan(-margin, margin, color=GRID, alpha=0.5, linewidth=0, zorder=-1)
        axes.set_xlim(limits)
        rows_on_y(axes, rows)
    unit = "points; every panel has its own range" if own else "points"
    figure.supylabel(rows_title(table), fontsize=10)
    figure.supxlabel(f"Difference from {table.reference} ({unit})", fontsize=10)
    return Figure("differences.png", _caption(table, [c.contrast for c in shown]), png(figure))


def panel_ranges(wanted: Sequence[Range]) -> list[Range]:
    """The same range for all panels, or their own where a panel would use less than a third of
    it: an interval would hide behind its marker.
    """
    low, high = min(low for low, _ in wanted), max(high for _, high in wanted)
    if min(b - a for a, b in wanted) * _MOST_SHRUNK >= high - low:
        return [(low, high)] * len(wanted)
    return list(wanted)


def _range(contrasts: Sequence[Contrast], margin: float | None) -> Range:
    """What a panel has to show, in points: its intervals, 0 and the margin, with some air."""
    ends = [100 * end for c in contrasts for end in (c.low, c.high) if end is not None]
    low, high = min(-(margin or 0.0), *ends), max(margin or 0.0, *ends)
    air = 0.06 * (high - low) or 1.0
    return low - air, high + air


def _canvas(
    columns: Sequence[Column], rows: Sequence[str], *, own: bool
) -> tuple[MatplotlibFigure, list[Axes]]:
    """A figure with a titled panel for each column; `own`: each with the numbers of its axis."""
    across = min(MOST_ACROSS, len(columns))
    down = -(-len(columns) // across)
    width = max(1.8, 0.5 + names_inches(rows)) + 2.3 * across + (2.2 if across == 1 else 0)
    titles = 0.43 + LINE * lines_of([c.label for c in columns], TITLE_WIDTH) + _NUMBERS * own
    figure = canvas(width, 0.6 + down * (titles + row_inches(rows, 0.32) * len(rows)))
    grid = figure.subplots(down, across, sharey=True, sharex=not own, squeeze=False)
    if not own:
        numbers_below(grid, len(columns))
    return figure, titled(grid, columns)


def _caption(table: Table, shown: Sequence[Contrast]) -> str:
    text = f"Differences from {table.reference} with 95% intervals. "
    if any(c.p is not None for c in shown):
        text += "Filled and blue: significant (adjusted p at most 0.05). Hollow and grey: not "
        text += f"significant. {NOT_ADJUSTED}"
    else:
        text += "Descriptive: too few seeds for a p-value."
    margin = table.task.report.margin
    return text if margin is None else f"{text} Shaded: the margin of {margin:.10g} points."
