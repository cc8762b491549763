"""Differences from the reference with their intervals, one panel per column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.core.outcomes import Contrast
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.panels import titled
from harness.report.render.pictures import numbered, pictures
from harness.report.render.style import (
    COLOURS,
    GREY,
    GRID,
    MOST_ACROSS,
    TITLE_WIDTH,
    draw_intervals,
    numbers_below,
    rows_on_y,
)
from harness.report.render.wrap import LINE, lines_of, names_inches, row_inches
from harness.report.text.axes import rows_title
from harness.report.text.notes import NOT_ADJUSTED
from harness.stats import family

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: From where to where the axis of a panel goes, in points.
Range = tuple[float, float]
#: Panels share a range that is at most so many times that of the narrowest.
_MOST_SHRUNK = 3
#: Inches that the numbers below a panel take.
_NUMBERS = 0.2


def difference_figures(table: Table) -> list[Figure]:
    """None without a reference, or without an interval; class draws have a table instead. Several
    where one picture would be too high.
    """
    shown = [c for c in table.against if c.contrast.low is not None]
    if not shown or table.draws:
        return []
    columns = list(dict.fromkeys(c.column for c in shown))
    contrasts = {column: [c.contrast for c in shown if c.column == column] for column in columns}
    limits = panel_ranges([_range(cs, table.task.report.margin) for cs in contrasts.values()])
    rows = [r for r in table.rows if any(c.contrast.a == r for c in shown)]
    drawn = _pictures(table, rows, contrasts, dict(zip(columns, limits, strict=True)))
    return numbered("differences.png", _caption(table, [c.contrast for c in shown]), drawn)


def _pictures(
    table: Table,
    rows: Sequence[str],
    contrasts: Mapping[Column, Sequence[Contrast]],
    ranges: Mapping[Column, Range],
) -> Iterator[bytes]:
    own = len(set(ranges.values())) > 1
    across = min(MOST_ACROSS, len(contrasts))
    titles = 0.43 + LINE * lines_of([c.label for c in contrasts], TITLE_WIDTH) + _NUMBERS * own
    high = row_inches(rows, 0.32)
    unit = "points; every panel has its own range" if own else "points"
    parts = pictures(rows, list(contrasts), across=across, row_high=high, title_high=titles)
    for part in parts:
        down = -(-len(part.columns) // across)
        width = max(1.8, 0.5 + names_inches(rows)) + 2.3 * across + (2.2 if across == 1 else 0)
        figure = canvas(width, 0.6 + down * (titles + high * len(part.rows)))
        # With ranges of their own, each panel has the numbers of its axis.
        grid = figure.subplots(down, across, sharey=True, sharex=not own, squeeze=False)
        if not own:
            numbers_below(grid, len(part.columns))
        for axes, column in zip(titled(grid, part.columns), part.columns, strict=True):
            _draw_panel(axes, part.rows, contrasts[column], table.task.report.margin)
            axes.set_xlim(ranges[column])
        figure.supylabel(rows_title(table), fontsize=10)
        figure.supxlabel(f"Difference from {table.reference} ({unit})", fontsize=10)
        yield png(figure)


def _draw_panel(
    axes: Axes, rows: Sequence[str], contrasts: Sequence[Contrast], margin: float | None
) -> None:
    place = {row: i for i, row in enumerate(rows)}
    for significant in (False, True):
        shown = {
            place[c.a]: (c.difference, c.low, c.high)
            for c in contrasts
            if c.a in place and (family.sign(c) != 0) == significant
        }
        if shown:
            colour = COLOURS[0] if significant else GREY
            draw_intervals(axes, shown, colour, filled=significant)
    axes.axvline(0, color="#999999", linewidth=1.0, zorder=0)
    if margin is not None:
        axes.axvspan(-margin, margin, color=GRID, alpha=0.5, linewidth=0, zorder=-1)
    rows_on_y(axes, rows)


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


def _caption(table: Table, shown: Sequence[Contrast]) -> str:
    text = f"Differences from {table.reference} with 95% intervals. "
    if any(c.p is not None for c in shown):
        text += "Filled and blue: significant (adjusted p at most 0.05). Hollow and grey: not "
        text += f"significant. {NOT_ADJUSTED}"
    else:
        text += "Descriptive: too few seeds for a p-value."
    margin = table.task.report.margin
    return text if margin is None else f"{text} Shaded: the margin of {margin:.10g} points."
