"""The figure of differences from the reference."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.render import difference_figure as module
from harness.report.render.difference_figure import difference_figures, panel_ranges

from ..studies import few_shot, make_results, task_of
from .extents import colliding, drawn, outside, panels, texts


def caption_of(**task: Any) -> str | None:
    figures = difference_figures(build_table(few_shot(task=task)))
    return figures[0].caption if figures else None


def test_it_says_what_is_significant() -> None:
    (figure,) = difference_figures(build_table(few_shot()))
    assert figure.png.startswith(b"\x89PNG")
    assert figure.alt == "Differences from random with 95% intervals"
    assert "Filled and blue: significant" in figure.caption


def test_few_seeds_are_descriptive() -> None:
    caption = caption_of(seeds=3, shots=1)
    assert caption is not None
    assert caption.endswith("Descriptive: too few seeds for a p-value.")


def test_a_margin_is_shaded() -> None:
    report = {"rows": "classifier", "reference": "random"}
    ((plain,), (wide,)) = (
        difference_figures(build_table(few_shot(task={"shots": 1, "report": report | more})))
        for more in ({}, {"margin": 2.5})
    )
    assert wide.caption == f"{plain.caption} Shaded: the margin of 2.5 points."
    assert wide.png != plain.png


def test_panels_share_a_range_unless_one_would_use_little_of_it() -> None:
    assert panel_ranges([(-3.0, 3.0), (-2.0, 6.0)]) == [(-3.0, 6.0)] * 2
    assert panel_ranges([(-1.0, 2.0), (-3.0, 6.0)]) == [(-3.0, 6.0)] * 2, "a third of it"
    assert panel_ranges([(-1.0, 1.9), (-3.0, 6.0)]) == [(-1.0, 1.9), (-3.0, 6.0)]


def far_at_one_shot(cell: Cell) -> float:
    name = cell.classifier.name if cell.classifier else ""
    if cell.shots == 1:
        return {"text": 0.05, "random": 0.5, "prototype": 0.95}[name]
    return {"text": 0.5, "random": 0.51, "prototype": 0.52}[name]


def test_small_differences_can_be_seen_beside_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each panel has 0, the margin and its intervals, on an axis of its own that says so."""
    figures = drawn(monkeypatch, module)
    report = {"rows": "classifier", "columns": "shots", "reference": "random", "margin": 2}
    task = task_of(classifier=["text", "random", "prototype"], include=[], shots=[1, 2],
                   report=report)  # fmt: skip
    table = build_table(make_results(task, far_at_one_shot, n=2000))
    assert difference_figures(table)
    (figure,) = figures
    assert "Difference from random (points; every panel has its own range)" in texts(figure)
    assert (colliding(figure), outside(figure)) == ([], [])
    widths = []
    for axes, column in zip(panels(figure), table.columns, strict=True):
        low, high = axes.get_xlim()
        widths.append(high - low)
        ends = [100 * e for c in table.against if c.column == column
                for e in (c.contrast.low, c.contrast.high) if e is not None]  # fmt: skip
        assert low < min(-2.0, *ends)
        assert high > max(2.0, *ends)
        assert any(label.get_text() for label in axes.get_xticklabels())
    assert widths[1] < widths[0] / 3


def test_panels_of_one_range_have_the_numbers_of_their_axis_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = drawn(monkeypatch, module)
    assert difference_figures(build_table(few_shot()))
    (figure,) = figures
    assert "Difference from random (points)" in texts(figure)
    assert len({axes.get_xlim() for axes in panels(figure)}) == 1


def test_nothing_to_show() -> None:
    assert caption_of(report={"rows": "classifier"}) is None  # no reference
    assert caption_of(seeds=1, shots=1) is None  # no interval
    assert caption_of(class_seed=[0, 1], shots=1) is None  # a table instead
