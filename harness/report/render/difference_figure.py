"""Differences from the reference with their intervals, one panel per column."""

from __future__ import annotations

from harness.report.model.figure import Figure
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import (
    COLOURS,
    GREY,
    GRID,
    MOST_ACROSS,
    TITLE_WIDTH,
    draw_interval,
    rows_on_y,
)
from harness.report.render.wrap import LINE, lines_of, names_inches, row_inches, wrapped
from harness.report.text.axes import rows_title
from harness.report.text.notes import NOT_ADJUSTED
from harness.stats import family


def difference_figure(table: Table) -> Figure | None:
    """None without a reference, or without an interval; class draws have a table instead."""
    shown = [c for c in table.against if c.contrast.low is not None]
    if not shown or table.draws:
        return None
    margin = table.task.report.margin
    columns = list(dict.fromkeys(c.column for c in shown))
    rows = [r for r in table.rows if any(c.contrast.a == r for c in shown)]
    across = min(MOST_ACROSS, len(columns))
    down = -(-len(columns) // across)
    width = max(1.8, 0.5 + names_inches(rows)) + 2.3 * across + (2.2 if across == 1 else 0)
    titles = 0.43 + LINE * lines_of([c.label for c in columns], TITLE_WIDTH)
    figure = canvas(width, 0.6 + down * (titles + row_inches(rows, 0.32) * len(rows)))
    grid = figure.subplots(down, across, sharey=True, sharex=True, squeeze=False)
    for axes in grid.flat[len(columns) :]:
        axes.set_visible(False)
    for axes, column in zip(grid.flat, columns, strict=False):
        for c in (c.contrast for c in shown if c.column == column):
            significant = family.sign(c) != 0
            draw_interval(axes, rows.index(c.a), (c.difference, c.low, c.high),
                          COLOURS[0] if significant else GREY, filled=significant)  # fmt: skip
        axes.axvline(0, color="#999999", linewidth=1.0, zorder=0)
        if margin is not None:
            axes.axvspan(-margin, margin, color=GRID, alpha=0.5, linewidth=0, zorder=-1)
        if column.label != "all":
            axes.set_title(wrapped(column.label, TITLE_WIDTH), fontsize=10)
        rows_on_y(axes, rows)
    figure.supylabel(rows_title(table), fontsize=10)
    figure.supxlabel(f"Difference from {table.reference} (points)", fontsize=10)
    text = f"Differences from {table.reference} with 95% intervals. "
    if any(c.contrast.p is not None for c in shown):
        text += "Filled and blue: significant (adjusted p at most 0.05). Hollow and grey: not "
        text += f"significant. {NOT_ADJUSTED}"
    else:
        text += "Descriptive: too few seeds for a p-value."
    text += "" if margin is None else f" Shaded: the margin of {margin:.10g} points."
    return Figure("differences.png", text, png(figure))
