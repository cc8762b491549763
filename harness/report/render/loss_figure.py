"""The training loss of every row over the epochs: the paper's Figure 4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.report.model.entry import Entry
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.speed import targets
from harness.report.model.steps import epochs_to
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.pictures import numbered, pictures
from harness.report.render.style import GREY, GRID, line_of_row, without_box
from harness.report.render.wrap import LINE, NAME_WIDTH, lines_of, names_inches, wrapped
from harness.report.text.prose import listing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ACROSS, _TITLE_WIDTH = 3, 36
#: Of a line of panels, in inches.
_HIGH = 3.4
_Curve = np.ndarray[tuple[int], np.dtype[np.float64]]


def loss_figures(results: Results, table: Table) -> list[Figure]:
    """The loss of every row, one panel per column, where the task asks for it."""
    if not results.task.report.curves:
        return []
    panels = {
        column: curves
        for column in table.columns
        if (curves := {row: loss_E for row in table.rows
                       if (loss_E := mean_curve(table.entries[row, column])) is not None})
    }  # fmt: skip
    if not panels:
        return []
    across = min(_MOST_ACROSS, len(panels))
    parts = pictures([""], list(panels), across=across, row_high=_HIGH, title_high=0.0)
    drawn = [_draw(table, {column: panels[column] for column in p.columns}) for p in parts]
    return numbered("curves.png", _caption(targets(table.task)), drawn)


def _caption(wanted: Sequence[float]) -> str:
    text = "Training loss over the epochs, mean over seeds. The axis of the loss is logarithmic."
    if not wanted:
        return text
    names = listing([f"{target:g}" for target in wanted])
    return (
        f"{text} Dashed lines: the target{'s' * (len(wanted) > 1)} of {names} nats that claims "
        "name. Marks on them: the geometric mean over seeds of the epoch that reaches the target, "
        "where every seed does."
    )


def _draw(table: Table, panels: Mapping[Column, Mapping[str, _Curve]]) -> bytes:
    rows = [row for row in table.rows if any(row in curves for curves in panels.values())]
    across = min(_MOST_ACROSS, len(panels))
    down = -(-len(panels) // across)
    width = 5.0 if across == 1 else 3.4
    names = (0.05 + LINE * lines_of(rows)) * len(rows) + 0.6
    figure = canvas(width * across + names_inches(rows) + 0.9, max(_HIGH * down, names))
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    handles = {}
    for axes, (column, curves) in zip(grid.flat, panels.items(), strict=False):
        _draw_targets(axes, table, column, list(curves))
        for row, loss_E in curves.items():
            colour, marker, dashes = line_of_row(table.rows.index(row))
            # One epoch is no line, and a logarithmic axis has no 0.
            (handles[row],) = axes.plot(
                range(1, len(loss_E) + 1), np.where(loss_E > 0, loss_E, np.nan), linewidth=1.8,
                color=colour, marker=marker if len(loss_E) == 1 else "",
                linestyle=dashes)  # fmt: skip
        _set_axes(axes, column)
    figure.supxlabel("Epoch", fontsize=10)
    figure.supylabel("Training loss (nats)", fontsize=10)
    figure.legend([handles[row] for row in rows], [wrapped(row, NAME_WIDTH) for row in rows],
                  loc="outside right upper", frameon=False, fontsize=9)  # fmt: skip
    return png(figure)


def _set_axes(axes: Axes, column: Column) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    axes.set_yscale("log")
    # Between powers of ten too: the losses of a study may have none between them.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if str(column) not in ("all", "full"):
        axes.set_title(wrapped(str(column), _TITLE_WIDTH), fontsize=10)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)
    without_box(axes)


def _draw_targets(axes: Axes, table: Table, column: Column, rows: Sequence[str]) -> None:
    for target in targets(table.task):
        axes.axhline(target, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        for row in rows:
            if (epoch := mean_epoch(table.entries[row, column], target)) is not None:
                colour, marker, _ = line_of_row(table.rows.index(row))
                axes.plot([epoch], [target], marker, color=colour, markersize=6, zorder=3,
                          markeredgecolor="white")  # fmt: skip


def mean_epoch(entry: Entry, target: float) -> float | None:
    """The geometric mean over seeds of the first epoch whose loss is at most `target`; None where
    a seed has none.
    """
    epochs = [e for e in epochs_to(entry, target).values() if e is not None]
    if not epochs or len(epochs) < len(entry.records):
        return None
    return float(np.exp(np.mean(np.log(epochs))))


def mean_curve(entry: Entry) -> _Curve | None:
    """The loss of every epoch, mean over the seeds; None if any seed lacks it."""
    curves = [[p["loss"] for p in r.curve if "loss" in p] for r in entry.records]
    if entry.estimate is None or not curves or len({len(c) for c in curves}) > 1 or not curves[0]:
        return None
    mean_E: _Curve = np.array(curves, dtype=np.float64).mean(axis=0)
    return mean_E
