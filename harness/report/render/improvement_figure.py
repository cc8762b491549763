"""The probability of improvement: how likely a run of a row is ahead of one of another row."""

from __future__ import annotations

from collections.abc import Mapping

from harness.report.model.average import Average, improvement_over
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.mean_rows import NEW
from harness.report.model.table import Table
from harness.report.render.canvas import png
from harness.report.render.panels import panel_pictures, row_panels
from harness.report.render.pictures import Picture, numbered
from harness.report.render.style import COLOURS, draw_interval, rows_on_y
from harness.report.text.axes import rows_title
from harness.stats.profiles import LEAST_DATASETS


def improvement_figures(table: Table) -> list[Figure]:
    """Every row against the reference, or against the row with the highest mean."""
    found = table.average
    if found is None:
        return []
    base = {c: b for c in found.columns if (b := _base(table, found, c)) is not None}
    columns = list(base)
    rows = [r for r in table.rows if any((r, c) in found.values and r != base[c] for c in columns)]
    if not rows:
        return []
    names = list(dict.fromkeys(base.values()))
    other = names[0] if len(names) == 1 else "the row with the highest mean"
    drawn = [_draw(table, found, part, base, other) for part in panel_pictures(columns, rows)]
    return numbered("mean_improvement.png", _caption(found, other, columns), drawn)


def _draw(
    table: Table, found: Average, part: Picture[Column], base: Mapping[Column, str], other: str
) -> bytes:
    figure, panels = row_panels(part.columns, part.rows)
    for axes, column in zip(panels, part.columns, strict=True):
        rows_on_y(axes, part.rows)
        for i, row in enumerate(part.rows):
            if row == base[column] or (row, column) not in found.values:
                continue
            of_row = improvement_over(table.entries, found, column, row, base[column])
            bounds = of_row.interval
            low, high = (bounds.low, bounds.high) if bounds else (None, None)
            draw_interval(axes, i, (of_row.mean, low, high), COLOURS[0])
        axes.axvline(50, color="#999999", linewidth=1.0, zorder=0)
        axes.set_xlim(-4, 104)
    figure.supylabel(rows_title(table), fontsize=10)
    figure.supxlabel(f"Probability of improvement over {other} (%)", fontsize=10)
    return png(figure)


def _base(table: Table, found: Average, column: Column) -> str | None:
    means = {r: float(v.mean()) for (r, c), v in found.values.items() if c == column}
    if table.reference in means:
        return table.reference
    return max(means, key=means.__getitem__) if means and table.reference is None else None


def _caption(found: Average, other: str, columns: list[Column]) -> str:
    one = " or ".join(kind.removesuffix("s") for kind in found.kinds.split(" or "))
    text = (
        f"Probability of improvement over {other}. The chance that a run of the row is more "
        f"accurate than a run of the other on the same {one}, a tie counted as a half; mean over "
        f"{found.kinds}. It says how often, not by how much."
    )
    enough = any(len(found.units[c].of) >= LEAST_DATASETS for c in columns)
    if any(found.units[c].overlap > 0 for c in columns):
        return f"{text} Without intervals: the class draws share classes."
    if found.kind != NEW:
        return f"{text} Without intervals: the data sets are a fixed benchmark."
    if not enough:
        return f"{text} Without intervals, which need {LEAST_DATASETS} data sets."
    return (
        f"{text} Bars: 95% intervals for other data sets (Wilson's, with data sets as items); not "
        "adjusted for the number of rows."
    )
