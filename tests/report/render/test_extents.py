"""The check of texts that touch finds those that do."""

from __future__ import annotations

import pytest

from harness.report.render.canvas import canvas

from .extents import colliding, crossed, is_legible, outside


@pytest.mark.parametrize("angle", [0, 40, 90])
def test_it_finds_texts_that_touch(angle: int) -> None:
    figure = canvas(4, 4)
    for name, x in (("first", 0.4), ("second", 0.42), ("apart", 0.8)):
        figure.text(x, 0.5, name, rotation=angle, rotation_mode="anchor", ha="right")
    assert colliding(figure) == [("first", "second")]


def test_it_finds_a_text_inside_another() -> None:
    figure = canvas(4, 4)
    figure.text(0.5, 0.5, "LARGE", fontsize=60, ha="center", va="center")
    figure.text(0.5, 0.5, "s", fontsize=6, ha="center", va="center")
    assert colliding(figure) == [("LARGE", "s")]


def test_slanted_names_beside_each_other_do_not_touch() -> None:
    figure = canvas(4, 4)
    for i in range(4):
        figure.text(0.5 + 0.1 * i, 0.6, "a slanted name", rotation=40, rotation_mode="anchor",
                    ha="right")  # fmt: skip
    assert colliding(figure) == []


def test_it_finds_what_the_edge_cuts_off() -> None:
    figure = canvas(4, 4)
    figure.text(0.9, 0.5, "too long for this place")
    assert outside(figure) == ["too long for this place"]
    assert not is_legible(figure)


def test_it_finds_a_line_that_runs_through_another_name() -> None:
    figure = canvas(4, 4)
    axes = figure.subplots()
    line = {"arrowstyle": "-"}
    axes.annotate("low", xy=(0.1, 0.9), xytext=(0.8, 0.1), arrowprops=line)
    axes.annotate("beside", xy=(0.1, 0.2), xytext=(0.1, 0.3), arrowprops=line)
    assert crossed(figure) == []
    axes.text(0.45, 0.5, "between", ha="center", va="center")
    assert crossed(figure) == [("low", "between")]
