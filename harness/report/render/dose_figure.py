"""Accuracy over the level of a control: how the gain falls with alignment and with noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.report.model.controls import Dose, doses
from harness.report.model.figure import Figure
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.style import GRID, MOST_LINES, TOP1_AXIS, line_of_row, without_box
from harness.report.render.wrap import NAME_WIDTH, names_inches, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "controls_dose.png"
_AXES = {
    "amount": "Moved towards a random rotation (amount)",
    "sigma": "Noise relative to the text (sigma)",
}
#: How far two lines are apart, and the first and the last, as shares of the axis.
_SHIFT, _SPREAD = 0.008, 0.03


def dose_figure(table: Table) -> Figure | None:
    """None unless a control has three levels or more; MOST_LINES columns at most."""
    found = doses(table)
    labels = list(dict.fromkeys(dose.label for dose in found))
    if not found or len(labels) > MOST_LINES:
        return None
    return Figure(NAME, _caption(table, found), _draw(found, labels))


def _caption(table: Table, found: Sequence[Dose]) -> str:
    options = list(dict.fromkeys(dose.option for dose in found))
    draws = table.columns[0].draw is not None
    text = f"Top-1 accuracy over the level of a control ({' and '.join(options)})"
    text += ", with ranges over class draws." if draws else ", with 95% intervals."
    text += " 0 is text."
    if "amount" in options:
        text += " An amount of 1 is text_rotated; at every amount the correlations stay."
    if any(dose.random is not None for dose in found):
        text += " Thin horizontal lines: random rows."
    return f"{text} Columns are shifted a little, so that their intervals can be seen."


def _draw(found: Sequence[Dose], labels: Sequence[str]) -> bytes:
    options = list(dict.fromkeys(dose.option for dose in found))
    legend = 0.9 + names_inches(labels)
    figure = canvas(3.6 * len(options) + legend, 3.4)
    grid = figure.subplots(1, len(options), squeeze=False, sharey=True)
    for axes, option in zip(grid.flat, options, strict=True):
        of_option = {dose.label: dose for dose in found if dose.option == option}
        _draw_panel(axes, of_option, labels)
        axes.set_xlabel(_AXES[option], fontsize=10)
    figure.supylabel(TOP1_AXIS, fontsize=10)
    lines = {line.get_label(): line for axes in grid.flat for line in axes.lines}
    handles, names = [lines[label] for label in labels], [wrapped(t, NAME_WIDTH) for t in labels]
    figure.legend(handles, names, loc="outside right upper", frameon=False, fontsize=9)
    return png(figure)


def _draw_panel(axes: Axes, of_label: dict[str, Dose], labels: Sequence[str]) -> None:
    highest = max(x for dose in of_label.values() for x, *_ in dose.values)
    step = highest * min(_SHIFT, _SPREAD / len(labels))
    for i, label in enumerate(labels):
        if label not in of_label:
            continue
        dose = of_label[label]
        colour, marker, dashes = line_of_row(i)
        shift = step * (i - (len(labels) - 1) / 2)
        for x, _, low, high in dose.values:
            if low is not None and high is not None:
                axes.vlines(x + shift, 100 * low, 100 * high, color=colour, linewidth=1.2,
                            alpha=0.6)  # fmt: skip
        axes.plot([x + shift for x, *_ in dose.values], [100 * mean for _, mean, *_ in dose.values],
                  label=label, color=colour, marker=marker, linestyle=dashes, markersize=4.5,
                  linewidth=1.4)  # fmt: skip
        if dose.random is not None:
            axes.axhline(100 * dose.random, color=colour, linewidth=0.8, linestyle=(0, (1, 3)))
    axes.set_xticks(sorted({x for dose in of_label.values() for x, *_ in dose.values}))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)
    without_box(axes)
