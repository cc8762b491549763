"""Maps of inter-class correlation before and after training: the paper's Figures 1 and A.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.words import plural
from harness.report.model.correlation import CosineMap, cosines, pearson
from harness.report.model.figure import Figure
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.wrap import CHARACTER, LINE, NAME_WIDTH, cut, lines_of, wrapped
from harness.report.text.prose import in_column, listing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure
    from matplotlib.image import AxesImage

_Arrays = Mapping[str, np.ndarray[Any, Any]]
MOST_ROWS = 8
_MOST_ACROSS = 3
#: Maps are drawn once if no cosine differs by more: nobody sees this between two colours.
ALIKE = 0.02
#: In brackets, since a caption lists titles with commas.
_BEFORE, _AFTER, _BOTH = (
    " (before training)", " (after training)", " (before and after training)",
)  # fmt: skip


@dataclass(frozen=True)
class _Panel:
    title: str
    cosines_CC: CosineMap
    is_text: bool
    also: tuple[str, ...] = ()  # titles of maps that look the same, and are not drawn


def correlation_figure(results: Results, table: Table) -> Figure | None:
    """Maps of the first `report.correlation` classes and the first seed, in the column in which
    most rows have weights, the last of several; None where no column has any.
    """
    column = _column(results, table)
    if column is None:
        return None
    panels, left_out = _panels(results, table, column)
    names = _class_names(results, table, column)
    where = f" {in_column(str(column))}".rstrip()
    text = (
        f"Cosine similarities between the class weights of the classifier{where}, first "
        f"seed, first {plural(len(names), 'class')}, in the same order on both axes; the "
        "diagonal is grey. r: Pearson correlation of the off-diagonal entries with those "
        "of the text classifier before training."
    )
    text += _drawn_once(panels)
    if left_out:
        text += f" Not shown for lack of space: {listing(left_out)}."
    return Figure("correlation.png", text, png(_draw(panels, names)))


def _column(results: Results, table: Table) -> Column | None:
    """The column in which most rows have weights, the last of several; None without any."""
    found, most = None, 0
    # From the last column: amounts ascend, so it was trained on the most samples.
    for column in reversed(table.columns):
        finished = sum(table.entries[row, column].estimate is not None for row in table.rows)
        # Files are read only where they may change the choice.
        if finished > most and (number := len(_weights(results, table, column))) > most:
            found, most = column, number
    return found


def _weights(results: Results, table: Table, column: Column) -> dict[str, _Arrays]:
    """The arrays of the first seed of every row that has weights."""
    first = {
        row: min(entry.records, key=lambda r: r.cell.get("seed") or 0)
        for row in table.rows
        if (entry := table.entries[row, column]).estimate is not None and entry.records
    }
    arrays = {row: results.arrays(record) for row, record in first.items()}
    return {row: of_row for row, of_row in arrays.items() if {"w_init", "w_final"} <= set(of_row)}


def _panels(results: Results, table: Table, column: Column) -> tuple[list[_Panel], list[str]]:
    """The maps, and the rows that have one but no space."""
    classes = results.task.report.correlation
    pairs = {
        row: (cosines(of_row["w_init"], classes), cosines(of_row["w_final"], classes))
        for row, of_row in _weights(results, table, column).items()
    }
    # The text row first, since r refers to it; then rows that training changed; frozen ones last.
    order = sorted(pairs, key=lambda r: (not _is_text(table, r, column), np.array_equal(*pairs[r])))
    out = []
    for row in order[:MOST_ROWS]:
        initial, final = pairs[row]
        text = _is_text(table, row, column)
        if np.array_equal(initial, final):
            state = "fitted" if _is_method(table, row, column) else "frozen"
            out.append(_Panel(f"{row} ({state})", initial, text))
            continue
        out.append(_Panel(f"{row}{_BEFORE}", initial, text))
        out.append(_Panel(f"{row}{_AFTER}", final, False))
    return _once(out), order[MOST_ROWS:]


def _once(panels: Sequence[_Panel]) -> list[_Panel]:
    """Every map once; one that looks like an earlier one is named with it."""
    out: list[_Panel] = []
    for panel in panels:
        shown = [(i, np.abs(p.cosines_CC - panel.cosines_CC).max()) for i, p in enumerate(out)
                 if p.cosines_CC.shape == panel.cosines_CC.shape]  # fmt: skip
        place, distance = min(shown, key=lambda pair: pair[1], default=(-1, np.inf))
        if distance > ALIKE:
            out.append(panel)
        else:
            out[place] = replace(out[place], also=(*out[place].also, panel.title))
    return [_titled(panel) for panel in out]


def _titled(panel: _Panel) -> _Panel:
    """With one title for the two maps of a row that training hardly changed."""
    row = panel.title.removesuffix(_BEFORE)
    after = f"{row}{_AFTER}"
    if row == panel.title or after not in panel.also:
        return panel
    also = tuple(title for title in panel.also if title != after)
    return replace(panel, title=f"{row}{_BOTH}", also=also)


def _drawn_once(panels: Sequence[_Panel]) -> str:
    """Which maps stand for others, as a sentence of the caption."""
    alike = [f"{listing(p.also)} as {p.title}" for p in panels if p.also]
    both = any(p.title.endswith(_BOTH) for p in panels)
    if not alike and not both:
        return ""
    text = f" Maps are drawn once where no cosine differs by more than {ALIKE}"
    return f"{text}: {'; '.join(alike)}." if alike else f"{text}."


def _is_text(table: Table, row: str, column: Column) -> bool:
    """Whether W begins with the texts; that of a method is kept as fitted alone."""
    cell = table.entries[row, column].cell
    if cell is None or cell.classifier is None or cell.method is not None:
        return False
    return cell.classifier.name == "text"


def _is_method(table: Table, row: str, column: Column) -> bool:
    cell = table.entries[row, column].cell
    return cell is not None and cell.method is not None


def _class_names(results: Results, table: Table, column: Column) -> list[str]:
    for row in table.rows:
        test = table.entries[row, column].test
        if test is not None:
            return list(results.tests[test].class_names[: results.task.report.correlation])
    return []


def _draw(panels: list[_Panel], names: list[str]) -> MatplotlibFigure:
    across = min(_MOST_ACROSS, len(panels))
    down = -(-len(panels) // across)
    reference = next((p.cosines_CC for p in panels if p.is_text), None)
    # One colour scale for all panels; the diagonal, always 1, would use most of it up.
    off_diagonals = [p.cosines_CC[~np.eye(len(p.cosines_CC), dtype=bool)] for p in panels]
    largest = max(np.abs(values).max(initial=0.0) for values in off_diagonals)
    limit = max(0.1, float(np.ceil(10 * largest) / 10))
    size = max(2.4, 0.15 * len(names))
    width = int(size / (0.9 * CHARACTER))
    titles = LINE * lines_of([p.title for p in panels], width)
    figure = canvas(across * size + 2.6, down * (size + 0.4 + titles))
    grid = figure.subplots(down, across, squeeze=False)
    shown = None
    for i, axes in enumerate(grid.flat):
        if i >= len(panels):
            axes.set_visible(False)
            continue
        shown = _draw_map(axes, panels[i], limit, reference)
        axes.set_title(wrapped(panels[i].title, width), fontsize=9)
        shown_names = [cut(name, NAME_WIDTH) for name in names] if i % across == 0 else []
        axes.set_yticks(range(len(names)), shown_names, fontsize=7)
    assert shown is not None
    bar = figure.colorbar(shown, ax=grid, shrink=min(1.0, 3.0 / (down * size)), aspect=25)
    bar.set_label("Cosine similarity", fontsize=8)
    figure.supylabel("Class", fontsize=9)
    bar.ax.tick_params(labelsize=7)
    return figure


def _draw_map(axes: Axes, panel: _Panel, limit: float, reference_CC: CosineMap | None) -> AxesImage:
    map_CC = panel.cosines_CC.copy()
    np.fill_diagonal(map_CC, np.nan)
    image = axes.imshow(map_CC, cmap="PuOr_r", vmin=-limit, vmax=limit)
    axes.set_facecolor("#d9d9d9")
    axes.set_xticks([])  # the map is symmetric: the names on the y axis are enough
    axes.tick_params(length=0)
    if panel.cosines_CC is reference_CC:
        axes.set_xlabel("reference of r", fontsize=8)
    elif reference_CC is not None:
        r = pearson(panel.cosines_CC, reference_CC)
        axes.set_xlabel("r undefined: constant map" if r is None else f"r = {r:.2f}", fontsize=8)
    return image
