"""The critical-difference diagram: mean ranks over data sets, and rows that do not differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.report.model.average import Average, friedman_of, separable_pairs
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.report.render.canvas import png
from harness.report.render.panels import row_panels
from harness.report.render.style import COLOURS, GREY, rows_on_y
from harness.report.text.average import no_diagram
from harness.report.text.axes import rows_title
from harness.stats.profiles import cliques

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Between the best row of all and the first bar, and between bars, in ranks.
_GAP = 0.35


def rank_figure(table: Table) -> Figure | None:
    """None where no column of means may have one; see `no_diagram`."""
    found = table.average
    if found is None:
        return None
    columns = [column for column in found.columns if not no_diagram(found, column)]
    if not columns:
        return None
    ranked = [_ranked(found, column) for column in columns]
    longest = max((rows for rows, _, _ in ranked), key=len)
    figure, panels = row_panels(columns, longest, extra=0.5, share_y=False)
    for axes, (rows, ranks, tied) in zip(panels, ranked, strict=True):
        _draw(axes, rows, ranks, tied)
    figure.supylabel(rows_title(table), fontsize=10)
    figure.supxlabel("Mean rank over data sets (1 is best)", fontsize=10)
    text = (
        "Critical-difference diagram: mean ranks of the rows over data sets. Rows with a dot on a "
        "common grey bar cannot be told apart: no two of them differ significantly (exact Wilcoxon "
        "tests of all pairs, Holm's correction, adjusted p above 0.05). Two rows without a common "
        "bar differ significantly."
    )
    return Figure("mean_ranks.png", text, png(figure))


def _ranked(found: Average, column: Column) -> tuple[list[str], list[float], list[tuple[int, ...]]]:
    """Rows from the best mean rank on, their ranks, and the sets of rows that are tied."""
    rows = [row for row, c in found.values if c == column]
    omnibus, separable = friedman_of(found, column), separable_pairs(found, column)
    assert omnibus is not None
    assert separable is not None
    rank = dict(zip(rows, omnibus.mean_ranks, strict=True))
    rows.sort(key=rank.__getitem__)
    place = {row: i for i, row in enumerate(rows)}
    apart = {frozenset(place[row] for row in pair) for pair in separable}
    return rows, [rank[row] for row in rows], cliques(len(rows), apart)


def _draw(
    axes: Axes, rows: Sequence[str], ranks: Sequence[float], tied: Sequence[tuple[int, ...]]
) -> None:
    rows_on_y(axes, rows)
    axes.plot(ranks, range(len(rows)), "o", color=COLOURS[0], markersize=6)
    for i, members in enumerate(tied):
        x = len(rows) + _GAP * (i + 1)
        axes.plot([x] * len(members), members, "-o", color=GREY, linewidth=2.2, markersize=4)
    axes.set_xlim(0.7, len(rows) + _GAP * (len(tied) + 1))
    axes.set_xticks(range(1, len(rows) + 1))
