"""Placeholders, and the files that hold templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.prompts._template_texts import fill, read_templates, with_placeholder

from .cells import NAMES, TWO


def test_every_name_is_put_into_every_template() -> None:
    assert fill(TWO, NAMES) == [
        ["a photo of a red car.", "a drawing of a red car."],
        ["a photo of a cat.", "a drawing of a cat."],
    ]


def test_other_braces_stay() -> None:
    assert fill([with_placeholder("{x} {}")], ["cat"]) == [["{x} cat"]]


def test_the_templates_of_kinetics() -> None:
    templates = read_templates("kinetics28")
    assert len(templates) == len(set(templates)) == 28
    assert templates[0] == "a photo of {}."
    assert templates[-1] == "a demonstration of a person practicing {}."


def test_a_file_of_ones_own_with_comments(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("# two of mine\na {} by night\n\n  a {} by day  \n", encoding="utf-8")
    assert read_templates(str(file)) == ("a {} by night", "a {} by day")
    file.write_text("a {} at dawn\n", encoding="utf-8")
    assert len(read_templates(str(file))) == 2, "what is in the key is what is trained on"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "there is no file"),
        (b"", "holds no templates"),
        (b"# nothing but this\n", "holds no templates"),
        (b"a photo\n", "needs one {} where the class name goes"),
        (b"\xff\xfe\x00", "is in UTF-16"),
    ],
)
def test_files_that_hold_no_templates(tmp_path: Path, content: bytes | None, word: str) -> None:
    file = tmp_path / "bad.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=word):
        read_templates(str(file))


def test_a_mistyped_name_is_told_with_the_nearest() -> None:
    with pytest.raises(
        ValueError,
        match=r"known by name: imagenet7, imagenet80, kinetics28\. Did you mean 'kinetics28'",
    ):
        read_templates("kinetics27")
