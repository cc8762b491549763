"""The training loss of every row over the epochs: the paper's Figure 4."""

from __future__ import annotations

import numpy as np

from harness.report.model.entry import Entry
from harness.report.model.figure import Figure
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import COLOURS, GRID, without_box

#: With more rows than colours the dashes tell them apart.
DASHES = ("-", "--", "-.", ":")
_MOST_ACROSS = 3
_Curve = np.ndarray[tuple[int], np.dtype[np.float64]]


def loss_figure(results: Results, table: Table) -> Figure | None:
    """The loss of every row, one panel per column, where the task asks for it."""
    if not results.task.report.curves:
        return None
    panels = [
        (column.label, curves)
        for column in table.columns
        if (curves := {row: loss_E for row in table.rows
                       if (loss_E := mean_curve(table.entries[row, column])) is not None})
    ]  # fmt: skip
    if not panels:
        return None
    across = min(_MOST_ACROSS, len(panels))
    down = -(-len(panels) // across)
    figure = canvas(4.6 * across + 1.0, 3.6 * down)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (label, curves) in zip(grid.flat, panels, strict=False):
        for row, loss_E in curves.items():
            i = table.rows.index(row)
            axes.plot(range(1, len(loss_E) + 1), loss_E, label=row, linewidth=1.8,
                      color=COLOURS[i % len(COLOURS)],
                      linestyle=DASHES[i // len(COLOURS) % len(DASHES)])  # fmt: skip
        if label not in ("all", "full"):
            axes.set_title(label, fontsize=10)
        axes.set_xlabel("Epoch")
        axes.set_ylim(bottom=0)
        axes.grid(color=GRID, linewidth=0.8)
        without_box(axes)
        axes.legend(frameon=False, fontsize=8)
    grid[0][0].set_ylabel("Training loss (nats)")
    return Figure("curves.png", "Training loss over the epochs, mean over seeds.", png(figure))


def mean_curve(entry: Entry) -> _Curve | None:
    """The loss of every epoch, mean over the seeds; None if any seed lacks it."""
    curves = [[p["loss"] for p in r.curve if "loss" in p] for r in entry.records]
    if entry.estimate is None or not curves or len({len(c) for c in curves}) > 1 or not curves[0]:
        return None
    mean_E: _Curve = np.array(curves, dtype=np.float64).mean(axis=0)
    return mean_E
