"""Templates: where they come from, how they become one, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.core.cells import Cell, Choice
from harness.core.errors import BadInput
from harness.core.facts import CellFacts, EncoderFacts
from harness.plan import resolve
from harness.prompts import class_name, template, templates

NAMES = ("red car", "cat")
TWO = ("a photo of a {}.", "a drawing of a {}.")
FACTS = CellFacts(2, 4, EncoderFacts("w", "b", 16, 16, 32, 100.0, text_dim=16))


def cell(**changes: Any) -> Cell:
    settings: dict[str, Any] = {
        "dataset": Choice("emoji"),
        "regime": "full",
        "encoder": Choice("embedded/lit-emoji"),
        "classifier": Choice("text"),
        "schedule": "frozen",
    }
    return Cell(**(settings | changes))


def refusal(**options: Any) -> str:
    with pytest.raises(ValidationError) as told:
        templates.Options(**options)
    assert told.value.error_count() == 1
    return str(told.value)


def test_every_form_has_its_texts() -> None:
    assert class_name.texts(NAMES, class_name.Options()) == [["red car"], ["cat"]]
    one = template.Options(text="a photo of the {}")
    assert template.texts(NAMES, one) == [["a photo of the red car"], ["a photo of the cat"]]
    several = templates.Options(texts=TWO)
    expected = [
        ["a photo of a red car.", "a drawing of a red car."],
        ["a photo of a cat.", "a drawing of a cat."],
    ]
    assert templates.texts(NAMES, several) == expected
    assert templates.evaluation_texts(NAMES, several) == expected
    assert not templates.drawn(several)
    assert templates.averaging(several) == "normalised"
    assert templates.averaging(templates.Options(texts=TWO, average="plain")) == "plain"


def test_templates_that_are_drawn_are_evaluated_by_one() -> None:
    first = templates.Options(texts=TWO, train="draw")
    assert templates.drawn(first)
    assert templates.texts(NAMES[:1], first) == [
        ["a photo of a red car.", "a drawing of a red car."]
    ]
    assert templates.evaluation_texts(NAMES, first) == [
        ["a photo of a red car."], ["a photo of a cat."],
    ]  # fmt: skip
    own = templates.Options(texts=TWO, train="draw", evaluation="a {}!")
    assert templates.evaluation_texts(NAMES, own) == [["a red car!"], ["a cat!"]]


def test_the_templates_of_kinetics() -> None:
    """28 of them; the paper evaluates with one that is among them (appendix B.4)."""
    options = templates.Options(
        file="kinetics28", train="draw", evaluation="a video of a person {}."
    )
    (found,) = templates.texts(["juggling"], options)
    assert len(found) == len(set(found)) == 28
    assert found[0] == "a photo of juggling."
    assert found[-1] == "a demonstration of a person practicing juggling."
    assert templates.evaluation_texts(["juggling"], options)[0][0] in found


def test_an_own_file_with_comments(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("# two of mine\na {} by night\n\n  a {} by day  \n", encoding="utf-8")
    options = templates.Options(file=str(file))
    assert templates.texts(["cat"], options) == [["a cat by night", "a cat by day"]]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "there is no file"),
        (b"", "holds no templates"),
        (b"# nothing but this\n", "holds no templates"),
        (b"a photo\n", "needs one {} where the class name goes"),
        (b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_files_that_hold_no_templates(tmp_path: Path, content: bytes | None, word: str) -> None:
    file = tmp_path / "bad.txt"
    if content is not None:
        file.write_bytes(content)
    assert word in refusal(file=str(file))


def test_options_that_mean_nothing() -> None:
    assert "either texts or a file" in refusal()
    assert "either texts or a file" in refusal(texts=())
    assert "either texts or a file" in refusal(texts=TWO, file="kinetics28")
    assert "needs one {}" in refusal(texts=("a photo",))
    assert "needs one {}" in refusal(texts=("{} and {}",))
    assert "nothing is averaged" in refusal(texts=TWO, train="draw", average="plain")
    assert "unless train: draw" in refusal(texts=TWO, evaluation="a {}")
    assert "needs one {}" in refusal(texts=TWO, train="draw", evaluation="a photo")


def test_a_user_reads_one_line() -> None:
    with pytest.raises(BadInput) as told:
        resolve.options("prompt", Choice("templates", (("file", "kinetics27"),)))
    assert str(told.value) == (
        "templates: option file: 'kinetics27': there is no file kinetics27; known by name: "
        "kinetics28. Did you mean 'kinetics28'?"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"paradigm": Choice("matching"), "classifier": None, "schedule": None}, None),
        ({"classifier": Choice("random")}, "needs classifier text or paradigm matching"),
        ({"classifier": Choice("text_rotated")}, "needs classifier text or paradigm matching"),
        ({"schedule": "trained"}, "its schedule is frozen"),
        ({"schedule": "released:3"}, "its schedule is frozen"),
        ({"classifier": Choice("random"), "tuning": "none", "schedule": None}, None),
    ],
)
def test_where_templates_can_be_drawn(changes: dict[str, Any], reason: str | None) -> None:
    drawn = Choice("templates", (("texts", TWO), ("train", "draw")))
    found = templates.check(cell(prompt=drawn, **changes), FACTS)
    assert found is None if reason is None else reason in str(found)
    averaged = Choice("templates", (("texts", TWO),))
    assert templates.check(cell(prompt=averaged, **changes), FACTS) is None
