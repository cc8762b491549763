"""The figure over the levels of controls: what it draws where."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.render import dose_figure as module
from harness.report.render.dose_figure import dose_figure

from ..model.test_controls import table_of


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The Matplotlib figures, which are not rendered."""
    figures: list[Any] = []
    monkeypatch.setattr(module, "png", lambda figure: figures.append(figure) or b"")
    return figures


def test_a_panel_for_every_control_and_a_line_for_every_column(drawn: list[Any]) -> None:
    figure = dose_figure(table_of())
    assert figure is not None
    assert figure.alt == (
        "Top-1 accuracy over the level of a control (amount and sigma), with 95% intervals"
    )
    amount, sigma = drawn[0].axes
    lines = {line.get_label(): line for line in amount.lines}
    assert list(lines["1 shot"].get_ydata()) == pytest.approx([75, 65, 65, 60])
    assert list(lines["4 shots"].get_xdata()) == pytest.approx([0, 0.25, 0.5, 1], abs=0.01)
    assert len(amount.collections) == 2 * 4, "an interval for every point"
    assert [tick.get_text() for tick in sigma.get_xticklabels()] == ["0", "1", "2"]
    (legend,) = drawn[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["1 shot", "4 shots"]


def test_no_levels_no_figure(drawn: list[Any]) -> None:
    assert dose_figure(table_of({"classifier": ["text", "random", "text_rotated"]})) is None
    assert drawn == []
