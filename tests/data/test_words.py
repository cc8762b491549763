"""Class names as a text encoder should read them."""

from __future__ import annotations

import pytest

from harness.data._words import words


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        (["ApplyEyeMakeup", "Archery", "YoYo"], ("apply eye makeup", "archery", "yo yo")),
        (["Archery", "Biking"], ("Archery", "Biking")),
        (["ApplyEyeMakeup", "brush_hair"], ("ApplyEyeMakeup", "brush hair")),
        (["playing chess", "TV"], ("playing chess", "TV")),
    ],
)
def test_words(given: list[str], read_as: tuple[str, ...]) -> None:
    assert words(given, split_camel=True) == read_as
