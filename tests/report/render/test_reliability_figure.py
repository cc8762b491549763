"""Reliability diagrams."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from harness.report.model.table import build_table
from harness.report.render import reliability_figure as module
from harness.report.render.reliability_figure import reliability_figure

from ..model.test_reliability import confident
from .extents import colliding, drawn, outside, panels, texts


@pytest.mark.parametrize("classifier", [["text"], ["text", "random", "orthogonal", "lda"]])
def test_it_has_a_panel_for_each_row(
    monkeypatch: pytest.MonkeyPatch, classifier: list[str]
) -> None:
    figures = drawn(monkeypatch, module)
    results = confident([0.95, 1.0, 0.31], [0, 1, 1], classifier=classifier, seeds=1)
    figure = reliability_figure(results, build_table(results))
    assert figure is not None
    assert figure.caption.startswith("Reliability diagrams at 1 shot: accuracy over confidence")
    assert (colliding(figures[0]), outside(figures[0])) == ([], [])
    assert {f"{row}\nECE 5.0" for row in classifier} <= set(texts(figures[0]))


def test_long_names_have_the_space_that_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = drawn(monkeypatch, module)
    names = [f"a-recipe-with-a-long-name-number-{i}" for i in range(3)]
    many = {
        "classifier": ["text", "random"],
        "recipe": [{"name": name, "lr": 1e-3, "epochs": 60} for name in names],
        "report": {"rows": ["classifier", "recipe"]},
    }
    results = confident([0.95, 1.0, 0.31], [0, 1, 1], seeds=1, **many)
    assert reliability_figure(results, build_table(results)) is not None
    assert (colliding(figures[0]), outside(figures[0])) == ([], [])


def test_the_largest_dots_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """All predictions in the last bin: a dot of the largest area at the end of the axis."""
    figures = drawn(monkeypatch, module)
    results = confident([1.0, 1.0, 1.0], [0, 0, 1], classifier=["text", "random"], seeds=1)
    assert reliability_figure(results, build_table(results)) is not None
    (figure,) = figures
    for axes in panels(figure):
        (dots,) = axes.collections
        assert isinstance(dots, PathCollection)
        assert dots.get_sizes().max() == pytest.approx(module._AREA)
        # The area is in square points, of which an inch has 72.
        radius = np.sqrt(dots.get_sizes() / np.pi) * figure.dpi / 72
        places = axes.transData.transform(dots.get_offsets())
        box = axes.get_window_extent()
        assert np.all(places - radius[:, None] > (box.x0, box.y0))
        assert np.all(places + radius[:, None] < (box.x1, box.y1))
