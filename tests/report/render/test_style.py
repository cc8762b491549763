"""How rows are told apart in every figure."""

from __future__ import annotations

from harness.report.render.canvas import canvas
from harness.report.render.style import COLOURS, MARKERS, line_of_row, numbers_below

ROWS = 32


def test_no_two_rows_have_the_same_colour_and_marker_or_the_same_colour_and_dashes() -> None:
    of_rows = [line_of_row(i) for i in range(ROWS)]
    assert len({(colour, marker) for colour, marker, _ in of_rows}) == ROWS
    assert len({(colour, dashes) for colour, _, dashes in of_rows}) == ROWS


def test_the_first_rows_differ_in_both_colour_and_marker() -> None:
    assert [line_of_row(i)[:2] for i in range(8)] == list(zip(COLOURS, MARKERS, strict=True))


def test_every_column_of_panels_has_numbers_below_its_lowest() -> None:
    grid = canvas(6, 6).subplots(2, 3, sharex=True, squeeze=False)
    numbers_below(grid, 4)
    shown = [axes.xaxis.get_tick_params()["labelbottom"] for axes in grid.flat[:4]]
    assert shown == [False, True, True, True]
