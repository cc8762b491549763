"""Every screen against the accuracy after training: a point for a row in a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.model.figure import Figure
from harness.report.model.screening import Candidate, Screening
from harness.report.render.canvas import canvas, png
from harness.report.render.style import GREY, GRID, MOST_LINES, TOP1_AXIS, line_of_row, without_box

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def screen_figure(study: Screening) -> Figure | None:
    """None without outcomes of enough rows."""
    names = list(study.agreement)
    if not names:
        return None
    columns = [str(column) for column in study.columns]
    coloured = len(columns) <= MOST_LINES
    legend = 0.9 + 0.085 * max(map(len, columns)) if coloured else 0.0
    figure = canvas(2.9 * len(names) + legend, 3.2)
    grid = figure.subplots(1, len(names), squeeze=False, sharey=True)
    for axes, name in zip(grid.flat, names, strict=True):
        _draw_panel(axes, study, name, coloured=coloured)
    figure.supylabel(TOP1_AXIS, fontsize=10)
    if coloured:
        shown = {line.get_label(): line for axes in grid.flat for line in axes.lines}
        labels = [label for label in columns if label in shown]
        figure.legend(handles=[shown[label] for label in labels], loc="outside right upper",
                      frameon=False, fontsize=9)  # fmt: skip
    return Figure("scatter.png", _caption(coloured=coloured), png(figure))


def _caption(*, coloured: bool) -> str:
    text = (
        "Measures before training against top-1 accuracy after training. A point is a row in a "
        "column (means over seeds), and a line joins those of a column; rho is Spearman's, within "
        "columns and averaged."
    )
    return text if coloured else f"{text} Columns are too many to be told apart by colour."


def _draw_panel(axes: Axes, study: Screening, name: str, *, coloured: bool) -> None:
    factor = 100 if study.units[name] == "fraction" else 1
    for i, column in enumerate(study.columns):
        xs, ys = _points([c for c in study.candidates if c.column == column], name, factor)
        if xs:
            colour, marker, dashes = line_of_row(i) if coloured else (GREY, "o", "-")
            axes.plot(xs, ys, linestyle=dashes, linewidth=0.7, marker=marker, color=colour,
                      markersize=4.5, alpha=0.75, label=str(column))  # fmt: skip
    title = study.titles[name]
    axes.set_xlabel(f"{title} (points)" if factor == 100 else title, fontsize=9)
    axes.set_title(f"rho = {study.agreement[name].spearman.mean:.2f}", fontsize=10)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)
    without_box(axes)


def _points(
    candidates: list[Candidate], name: str, factor: float
) -> tuple[list[float], list[float]]:
    """(values, outcomes in points) of those that the rank correlation has, by their values."""
    known = sorted(
        (factor * value, 100 * c.top1)
        for c in candidates
        if (value := c.values[name]) is not None and c.top1 is not None and not c.own
    )
    return [x for x, _ in known], [y for _, y in known]
