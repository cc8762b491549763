"""The training loss over the epochs, by row: the paper's Figure 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.report.model.entry import Entry
from harness.report.model.results import Study
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.markdown import Figure

DASHES = ("-", "--", "-.", ":")
_ACROSS = 3
_Curve = np.ndarray[tuple[int], np.dtype[np.float64]]


def loss_curves(study: Study, table: Table, colours: Sequence[str]) -> Figure | None:
    """The loss of every row, a panel a column, where the task asks for it."""
    if not study.task.report.curves:
        return None
    panels = [
        (column.label, curves)
        for column in table.columns
        if (curves := {row: found for row in table.rows
                       if (found := mean_curve(table.entries[row, column])) is not None})
    ]  # fmt: skip
    if not panels:
        return None
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    figure = canvas(4.6 * across + 1.0, 3.6 * down)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (label, curves) in zip(grid.flat, panels, strict=False):
        for row, curve_E in curves.items():
            i = table.rows.index(row)
            axes.plot(range(1, len(curve_E) + 1), curve_E, label=row, linewidth=1.8,
                      color=colours[i % len(colours)],
                      linestyle=DASHES[i // len(colours) % len(DASHES)])  # fmt: skip
        if label not in ("all", "full"):
            axes.set_title(label, fontsize=10)
        axes.set_xlabel("Epoch")
        axes.set_ylim(bottom=0)
        axes.grid(color="#e5e5e5", linewidth=0.8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    grid[0][0].set_ylabel("Training loss (nats)")
    return Figure("curves.png", "Training loss over the epochs, mean over seeds", png(figure))


def mean_curve(entry: Entry) -> _Curve | None:
    """The loss of every epoch, mean over the seeds; None if any seed lacks it."""
    curves = [[p["loss"] for p in r.curve if "loss" in p] for r in entry.records]
    if entry.estimate is None or not curves or len({len(c) for c in curves}) > 1 or not curves[0]:
        return None
    mean_E: _Curve = np.array(curves, dtype=np.float64).mean(axis=0)
    return mean_E
