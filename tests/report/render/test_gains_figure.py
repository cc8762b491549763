"""The figure of sorted differences of classes."""

from __future__ import annotations

import pytest

from harness.report.model.class_gains import class_gains
from harness.report.model.table import build_table
from harness.report.render import gains_figure as module
from harness.report.render.gains_figure import gains_figure

from ..model.test_class_gains import RANDOM, TEXT, predicted
from ..studies import few_shot
from .extents import colliding, drawn, outside, panels, texts
from .test_legible import LONG, renamed


def test_bars_are_the_sorted_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    results = few_shot()
    table = build_table(results)
    found = class_gains(results, table)
    assert found is not None
    figures = drawn(monkeypatch, module)
    figure = gains_figure(results, table)
    assert figure is not None
    axes = panels(figures[0])[0]
    heights = [bar.get_height() for bar in axes.patches]  # type: ignore[attr-defined]
    assert heights == pytest.approx([100 * c.difference for c in found.rows[0].classes])
    assert heights == sorted(heights, reverse=True)
    left_out = [g.row for g in found.rows[6:]]
    assert len(left_out) == 1
    assert figure.caption.endswith(f"Not shown for lack of space: {left_out[0]}.")


@pytest.mark.parametrize("prefix", ["", f"{LONG} · "])
@pytest.mark.parametrize("rows", [["text", "random"], ["text", "random", "orthogonal", "lda"]])
def test_no_text_touches_another(
    monkeypatch: pytest.MonkeyPatch, prefix: str, rows: list[str]
) -> None:
    figures = drawn(monkeypatch, module)
    results = few_shot(task={"classifier": rows, "include": [], "seeds": 1})
    assert gains_figure(results, renamed(build_table(results), prefix, "")) is not None
    assert (colliding(figures[0]), outside(figures[0])) == ([], [])
    assert "Classes, sorted by their difference" in texts(figures[0])


def test_few_classes_are_in_the_table_alone() -> None:
    results = predicted({"text": TEXT, "random": RANDOM})
    assert gains_figure(results, build_table(results)) is None
