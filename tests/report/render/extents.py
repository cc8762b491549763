"""The texts of a figure where they are drawn: whether they touch, and whether they are inside."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from types import ModuleType
from weakref import WeakKeyDictionary

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from matplotlib.text import Annotation, Text

#: The texts of figures that are drawn and do not change: to find them takes as long as to draw.
_TEXTS: WeakKeyDictionary[Figure, dict[str, list[Path]]] = WeakKeyDictionary()


def drawn(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> list[Figure]:
    """The Matplotlib figures that these modules will make a PNG of, in a list that fills.

    Each keeps the layout that it has in its PNG: another pass might move its texts.
    """
    figures: list[Figure] = []
    for module in modules:
        original = module.png

        def record(figure: Figure, original=original) -> bytes:  # type: ignore[no-untyped-def]
            figures.append(figure)
            data = bytes(original(figure))
            figure.set_layout_engine("none")
            _TEXTS[figure] = texts(figure)
            return data

        monkeypatch.setattr(module, "png", record)
    return figures


def texts(figure: Figure) -> dict[str, list[Path]]:
    """The outlines, in pixels, of every text that a reader sees, by the text."""
    if figure in _TEXTS:
        return _TEXTS[figure]
    figure.canvas.draw()
    found: dict[str, list[Path]] = {}
    for text in _visible(figure):
        found.setdefault(text.get_text(), []).append(_outline(text))
    return found


def colliding(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts of which one covers a part of the other."""
    outlines = [(name, path) for name, paths in texts(figure).items() for path in paths]
    return [
        (a, b)
        for (a, of_a), (b, of_b) in combinations(outlines, 2)
        if of_a.intersects_path(of_b, filled=True)
    ]


def crossed(figure: Figure) -> list[tuple[str, str]]:
    """(name, other): the line from a name to its point runs through the other text."""
    outlines = [(name, path) for name, paths in texts(figure).items() for path in paths]
    leaders = [t for t in figure.findobj(Annotation) if isinstance(t, Annotation) and t.arrow_patch]
    return [
        (leader.get_text(), name)
        for leader in leaders
        if leader.arrow_patch is not None
        for name, outline in outlines
        if name != leader.get_text() and _line(leader.arrow_patch).intersects_path(outline)
    ]


def _line(patch: FancyArrowPatch) -> Path:
    """In pixels, as it is drawn."""
    return patch.get_transform().transform_path(patch.get_path())


def outside(figure: Figure) -> list[str]:
    """Texts that the edge of the picture cuts off."""
    width, height = figure.get_size_inches() * figure.dpi
    return [
        name
        for name, paths in texts(figure).items()
        for path in paths
        if path.vertices.min() < -1
        or np.any(np.asarray(path.vertices).max(axis=0) > (width + 1, height + 1))
    ]


def panels(figure: Figure) -> list[Axes]:
    """The axes that are shown."""
    return [axes for axes in figure.axes if axes.get_visible()]


def is_legible(figure: Figure) -> bool:
    """No text touches another or leaves the picture, and every panel has a size."""
    texts(figure)
    sizes = [axes.get_window_extent() for axes in panels(figure)]
    enough = all(box.width > 40 and box.height > 20 for box in sizes if box.width > box.height / 9)
    return enough and colliding(figure) == [] and outside(figure) == []


def _visible(figure: Figure) -> Iterator[Text]:
    hidden = {id(t) for axes in figure.axes if not axes.get_visible() for t in axes.findobj(Text)}
    for axes in panels(figure):
        # Ticks outside the limits are no part of the picture.
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low <= tick.get_loc() <= high:
                    hidden |= {id(tick.label1), id(tick.label2)}
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden:
            yield text


def _outline(text: Text) -> Path:
    """A rectangle, turned with its text."""
    angle = text.get_rotation()
    canvas = text.get_figure(root=True).canvas  # type: ignore[union-attr]
    assert isinstance(canvas, FigureCanvasAgg)
    renderer = canvas.get_renderer()
    if not angle or text.get_rotation_mode() != "anchor":
        corners = Text.get_window_extent(text, renderer).corners()[[0, 1, 3, 2]]
        return Path(_shrunk(corners), closed=False)
    text.set_rotation(0)
    corners = Text.get_window_extent(text, renderer).corners()[[0, 1, 3, 2]]
    text.set_rotation(angle)
    anchor = text.get_transform().transform(text.get_position())
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return Path(_shrunk((corners - anchor) @ turn + anchor), closed=False)


def _shrunk(corners: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """By a twentieth: an outline has some air around its letters."""
    centre = corners.mean(axis=0)
    return np.asarray(centre + 0.95 * (corners - centre))
