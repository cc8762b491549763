"""Names of columns below an axis."""

from __future__ import annotations

from harness.report.render.ticks import column_ticks


def test_they_are_wrapped_where_that_is_enough() -> None:
    ticks = column_ticks(["head · 1 shot", "none · 2 shots"], 1.0)
    assert ticks.labels == ["head ·\n1 shot", "none ·\n2 shots"]
    assert "rotation" not in ticks.style


def test_else_they_are_slanted_and_have_more_height() -> None:
    labels = ["projection · frozen · 1 shot", "y" * 60]
    ticks = column_ticks(labels, 0.5)
    assert ticks.labels == [labels[0], f"{'y' * 19}…{'y' * 20}"]
    assert ticks.style["rotation"] == 40.0
    assert ticks.height > 3 * column_ticks(["a"], 0.5).height
