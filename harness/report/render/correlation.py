"""Inter-class correlation maps of classifiers before and after training.

The paper's Figure 1 and Figure A.5: cosines between the rows of the classifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.report.model.labels import Column
from harness.report.model.results import Study
from harness.report.model.table import Table
from harness.report.render.canvas import canvas, png
from harness.report.render.markdown import Figure
from harness.report.text.prose import listing

MOST_ROWS = 8
_ACROSS = 3
_ROUNDING = 0.005
_Map = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class _Panel:
    title: str
    cosines_CC: _Map
    is_text: bool


def correlation_maps(study: Study, table: Table) -> Figure | None:
    """Maps of the first `report.correlation` classes, seed 0, in the largest column with arrays."""
    for column in reversed(table.columns):
        panels, left_out = _panels(study, table, column)
        if panels:
            names = _class_names(study, table, column)
            where = "" if column.label == "all" else f" at {column.label}"
            text = (
                f"Cosines between the classes' rows of the classifier{where}, first seed, the "
                f"first {len(names)} classes by position, in the same order across and down; "
                "a class with itself is grey. r: Pearson correlation of a map's off-diagonal with "
                "that of the text classifier before training"
            )
            if left_out:
                text += f". Not shown, for want of room: {listing(left_out)}"
            return Figure("correlation.png", text, _draw(panels, names))
    return None


def cosines(w_CD: np.ndarray[Any, Any], classes: int) -> _Map:
    """(c, c) cosines between the first `classes` rows; zero for a row of zeros."""
    w = np.asarray(w_CD[:classes], dtype=np.float64)
    norm = np.linalg.norm(w, axis=1, keepdims=True)
    w = w / np.where(norm > 0, norm, 1.0)
    return np.asarray(w @ w.T)


def pearson(a_CC: _Map, b_CC: _Map) -> float | None:
    """Correlation of two maps over their pairs of classes; None if one does not vary.

    Weights are kept as float16, so what orthogonal rows leave is rounding and not variation.
    """
    above = np.triu_indices(len(a_CC), k=1)
    a, b = a_CC[above], b_CC[above]
    if len(a) < 2 or min(np.ptp(a), np.ptp(b)) < _ROUNDING:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _panels(study: Study, table: Table, column: Column) -> tuple[list[_Panel], list[str]]:
    """The maps, and the rows that have some but no room."""
    classes = study.task.report.correlation
    pairs: dict[str, tuple[_Map, _Map]] = {}
    for row in table.rows:
        entry = table.entries[row, column]
        if entry.estimate is None:
            continue
        first = min(entry.records, key=lambda r: r.cell.get("seed") or 0)
        arrays = study.arrays(first)
        if "w_init" in arrays and "w_final" in arrays:
            before, after = arrays["w_init"], arrays["w_final"]
            pairs[row] = (cosines(before, classes), cosines(after, classes))
    # What training has changed tells most, after text: it goes before what stayed as it was.
    order = sorted(pairs, key=lambda r: (not _is_text(table, r, column), np.array_equal(*pairs[r])))
    out = []
    for row in order[:MOST_ROWS]:
        initial, final = pairs[row]
        text = _is_text(table, row, column)
        if np.array_equal(initial, final):
            out.append(_Panel(f"{row}, frozen", initial, text))
            continue
        out.append(_Panel(f"{row}, before training", initial, text))
        out.append(_Panel(f"{row}, after training", final, False))
    return out, order[MOST_ROWS:]


def _is_text(table: Table, row: str, column: Column) -> bool:
    cell = table.entries[row, column].cell
    return cell is not None and cell.classifier is not None and cell.classifier.name == "text"


def _class_names(study: Study, table: Table, column: Column) -> list[str]:
    for row in table.rows:
        test = table.entries[row, column].test
        if test is not None:
            return list(study.tests[test].class_names[: study.task.report.correlation])
    return []


def _draw(panels: list[_Panel], names: list[str]) -> bytes:
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    reference = next((p.cosines_CC for p in panels if p.is_text), None)
    between = [p.cosines_CC[~np.eye(len(p.cosines_CC), dtype=bool)] for p in panels]
    limit = max(0.1, float(np.ceil(10 * max(np.abs(b).max(initial=0.0) for b in between)) / 10))
    size = max(2.4, 0.15 * len(names))
    figure = canvas(across * size + 2.6, down * (size + 0.55))
    grid = figure.subplots(down, across, squeeze=False)
    shown = None
    for i, axes in enumerate(grid.flat):
        if i >= len(panels):
            axes.set_visible(False)
            continue
        panel = panels[i]
        map_CC = panel.cosines_CC.copy()
        np.fill_diagonal(map_CC, np.nan)  # always 1: it would use up the colour scale
        shown = axes.imshow(map_CC, cmap="PuOr_r", vmin=-limit, vmax=limit)
        axes.set_facecolor("#d9d9d9")
        axes.set_title(panel.title, fontsize=9)
        axes.set_xticks([])  # as on the other side: the map is symmetric
        axes.set_yticks(range(len(names)), names if i % across == 0 else [], fontsize=7)
        axes.tick_params(length=0)
        if reference is None:
            continue
        r = pearson(panel.cosines_CC, reference)
        if panel.cosines_CC is not reference:
            axes.set_xlabel("no r: nothing varies" if r is None else f"r = {r:.2f}", fontsize=8)
        else:
            axes.set_xlabel("the map that r compares with", fontsize=8)
    assert shown is not None
    bar = figure.colorbar(shown, ax=grid, shrink=min(1.0, 3.0 / (down * size)), aspect=25)
    bar.set_label("cosine", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return png(figure)
