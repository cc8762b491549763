"""Labels on several lines."""

from __future__ import annotations

import re

import pytest

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


@pytest.mark.parametrize(
    ("label", "width", "lines"),
    [
        ("text_partly_rotated(amount=0.25)", 30, ["text_partly_rotated(", "amount=0.25)"]),
        ("text_partly_rotated(amount=0.25)", 24, ["text_partly_rotated(", "amount=0.25)"]),
        ("text_noise(sigma=0.125)", 20, ["text_noise(", "sigma=0.125)"]),
        ("a_recipe_with_lr=1e-05", 20, ["a_recipe_with_", "lr=1e-05"]),
        ("a_recipe_with_shift=-0.5", 22, ["a_recipe_with_", "shift=-0.5"]),
        ("emoji_motion(clips=2,objects=80)", 26, ["emoji_motion(clips=2,", "objects=80)"]),
    ],
)
def test_a_long_word_is_broken_after_a_sign_and_never_in_a_number(
    label: str, width: int, lines: list[str]
) -> None:
    assert wrapped(label, width).split("\n") == lines


NUMBERS = ("0.25", "1e-05", "-0.125", "2048", "12")
LABELS = [
    f"{name}({key}={number}{rest})"
    for name in ("text_partly_rotated", "n", "templates(texts=a picture of a thing")
    for key in ("amount", "a_key_of_a_long_name", "k")
    for number in NUMBERS
    for rest in ("", ", objects=80")
]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("width", [13, 16, 20, 24, 26, 30, 32])
def test_a_number_is_there_as_a_whole_or_not_at_all(label: str, width: int) -> None:
    whole = set(re.findall(r"-?\d[\d.]*(?:e-\d+)?", label))
    for text in (*wrapped(label, width).split("\n"), *cut(label, width).split("…")):
        assert len(text) <= width
        assert set(re.findall(r"-?\d[\d.]*(?:e-\d+)?", text)) <= whole


def test_a_number_at_the_end_of_a_name_is_kept() -> None:
    assert cut("a_name_that_is_too_long=1048576", 12) == "a_na…1048576"
    assert cut("squared cjk unified ideograph-7121", 12) == "squar…h-7121"
    assert cut("7" * 40, 12) == "…777777", "what is longer than any number is cut"
