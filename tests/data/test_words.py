"""Class names as a text encoder should read them."""

from __future__ import annotations

import pytest

from harness.data._words import camel_note, is_camel_case, words


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        (["ApplyEyeMakeup", "Archery", "YoYo"], ("apply eye makeup", "archery", "yo yo")),
        (["TVShow", "TaiChi", "Vlog2020Clip"], ("tv show", "tai chi", "vlog2020 clip")),
        (["ApplyEyeMakeup", "TaiChi", "iPhone"], ("apply eye makeup", "tai chi", "i phone")),
        (["iPhone", "TaiChi"], ("iPhone", "TaiChi")),
        (["iPhone", "McDonalds", "coffee cup"], ("iPhone", "McDonalds", "coffee cup")),
        (["GoPro", "McDonalds", "camera"], ("GoPro", "McDonalds", "camera")),
        (["Archery", "Biking"], ("Archery", "Biking")),
        (["ApplyEyeMakeup", "brush_hair"], ("ApplyEyeMakeup", "brush hair")),
        (["playing chess", "TV"], ("playing chess", "TV")),
        ([], ()),
    ],
)
def test_a_list_is_split_as_a_whole_or_not_at_all(
    given: list[str], read_as: tuple[str, ...]
) -> None:
    assert words(given, split_camel=True) == read_as
    assert words(given, split_camel=False) == tuple(name.replace("_", " ") for name in given)


def test_what_was_split_is_noted() -> None:
    given = ["ApplyEyeMakeup", "Archery", "TaiChi", "YoYo", "PushUps"]
    assert is_camel_case(given)
    (note,) = camel_note(given, words(given, split_camel=True), "video:x")
    assert note == (
        "CamelCase class names of video:x that were split into words: 4 (ApplyEyeMakeup -> apply "
        "eye makeup, TaiChi -> tai chi, YoYo -> yo yo, ...); camel_case: false keeps them."
    )
    assert camel_note(["Archery"], ["archery"], "video:x") == ()
