"""Labels on several lines."""

from __future__ import annotations

from harness.report.render.wrap import LINE, cut, lines_of, names_inches, row_inches, wrapped


def test_parts_stay_whole_where_they_fit() -> None:
    assert wrapped("projection · frozen · 1 shot", 26) == "projection · frozen ·\n1 shot"
    assert wrapped("text", 26) == "text"
    assert wrapped("a part of its own", 8) == "a part\nof its\nown"


def test_no_line_is_too_long_and_an_ellipsis_shows_what_is_left_out() -> None:
    long = wrapped(" · ".join([*["text_rotated"] * 9, "1 shot"]), 30).split("\n")
    assert long[0] == "text_rotated · text_rotated ·"
    assert long[1] == "text_rotated · text_rotated ·…"
    assert long[2] == "text_rotated · 1 shot", "names often differ at their end"
    assert wrapped("x" * 30, 20) == f"{'x' * 20}\n{'x' * 10}"


def test_the_space_that_names_take() -> None:
    assert lines_of([]) == 1
    assert lines_of(["text", "x" * 40], 32) == 2
    assert names_inches(["text", "x" * 40], 32) == 32 * 0.083
    assert row_inches(["text"], 0.3) == 0.3
    assert row_inches(["x" * 70], 0.3) == 3 * LINE + 0.08


def test_one_line_keeps_the_beginning_and_the_end() -> None:
    assert cut("bottle with popping cork", 24) == "bottle with popping cork"
    assert cut("bottle with popping cork", 13) == "bottle…g cork"
