"""Top-1 accuracy against cost, with the line of the rows that no other dominates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from harness.report.model.figure import Figure
from harness.report.model.pareto import Cost, CostPanel, CostPoint, cost_panels
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import (
    GREY,
    GRID,
    MOST_LINES,
    TOP1_AXIS,
    line_of_row,
    without_box,
)
from harness.report.render.wrap import LINE, NAME_WIDTH, lines_of, names_inches, wrapped
from harness.report.text.cost import cost_caption
from harness.report.text.numbers import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

NAME = "cost.png"
_OTHERS = "other rows"
_MOST_TICKS = 4


def cost_figure(table: Table) -> Figure | None:
    """None unless a cost differs between the rows of a column."""
    found = cost_panels(table)
    if found is None or table.draws:
        return None
    column, panels = found
    known = [row for row in table.rows if table.entries[row, column].estimate is not None]
    return Figure(NAME, cost_caption(column, panels, known), _draw(table.rows, panels))


def _draw(every_row: Sequence[str], panels: Sequence[CostPanel]) -> bytes:
    """Every row has its colour; of many rows only those on a front."""
    shown = {p.row for panel in panels for p in panel.points}
    first = dict.fromkeys(row for panel in panels for row in panel.front)
    named = [row for row in every_row if row in shown]
    if len(named) > MOST_LINES:
        named = [row for row in named if row in first][:MOST_LINES]
    labels = [*named, *([_OTHERS] if len(named) < len(shown) else [])]
    height = max(3.6, (0.05 + LINE * lines_of(labels)) * len(labels) + 0.6)
    width = 5.0 if len(panels) == 1 else 3.1
    figure = canvas(width * len(panels) + names_inches(labels) + 0.9, height)
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)
    handles: dict[str, Line2D] = {}
    for axes, panel in zip(grid.flat, panels, strict=True):
        handles |= _draw_panel(axes, panel, named)
    figure.supylabel(TOP1_AXIS, fontsize=10)
    figure.legend([handles[name] for name in labels], [wrapped(n, NAME_WIDTH) for n in labels],
                  loc="outside right upper", frameon=False, fontsize=9)  # fmt: skip
    return png(figure)


def _draw_panel(axes: Axes, panel: CostPanel, named: Sequence[str]) -> dict[str, Line2D]:
    place = _places([p.cost for p in panel.points])
    joined = [p for row in panel.front for p in panel.points if p.row == row]
    axes.plot([place(p.cost) for p in joined], [100 * p.mean for p in joined], color=GREY,
              linewidth=1.2, zorder=1)  # fmt: skip
    handles = {}
    for point in panel.points:
        known = point.row in named
        colour, marker, _ = line_of_row(named.index(point.row)) if known else (GREY, "o", "")
        handles[point.row if known else _OTHERS] = _draw_point(
            axes, place(point.cost), point, colour, marker, filled=point.row in panel.front
        )
    _set_axes(axes, panel, [p.cost for p in panel.points])
    return handles


def _draw_point(
    axes: Axes, x: float, point: CostPoint, colour: str, marker: str, *, filled: bool
) -> Line2D:
    if point.low is not None and point.high is not None:
        axes.vlines(x, 100 * point.low, 100 * point.high, color=colour, linewidth=1.0,
                    alpha=0.3 if colour == GREY else 0.6)  # fmt: skip
    (line,) = axes.plot([x], [100 * point.mean], marker=marker, linestyle="none", color=colour,
                        markersize=6.5, markerfacecolor=colour if filled else "white",
                        zorder=3 if filled else 2)  # fmt: skip
    return line


def _places(costs: Sequence[float]) -> Callable[[float], float]:
    """Where a cost is on the axis: its logarithm; 0, which has none, is left of all others."""
    logs = [math.log10(c) for c in costs if c > 0]
    zero = min(logs) - max(0.5, 0.25 * (max(logs) - min(logs)))
    return lambda cost: math.log10(cost) if cost > 0 else zero


def _set_axes(axes: Axes, panel: CostPanel, costs: Sequence[float]) -> None:
    place = _places(costs)
    ticks = _ticks(costs)
    axes.set_xticks([place(t) for t in ticks], [_text(panel.cost, t) for t in ticks])
    ends = [place(c) for c in costs]
    air = max(0.1, 0.08 * (max(ends) - min(ends)))
    axes.set_xlim(min(ends) - air, max(ends) + air)
    unit = f"\n({panel.cost.unit})" if panel.cost.unit else ""
    axes.set_xlabel(f"{panel.cost.title}{unit}", fontsize=10)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    without_box(axes)


def _ticks(costs: Sequence[float]) -> list[float]:
    """Some of the costs themselves, far enough apart that they can be written below the axis."""
    place = _places(costs)
    values = sorted(set(costs))
    room = (place(values[-1]) - place(values[0])) / _MOST_TICKS
    kept = [values[0]]
    for value in values[1:-1]:
        if min(place(value) - place(kept[-1]), place(values[-1]) - place(value)) >= room:
            kept.append(value)
    return [*kept, values[-1]]


def _text(cost: Cost, value: float) -> str:
    return f"{value:.{cost.digits}g}" if cost.digits else count(value)
