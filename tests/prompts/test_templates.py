"""templates: where they come from, how they become one text a class, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.core.cells import Choice
from harness.prompts import templates

from .cells import FACTS, NAMES, TWO, cell


def refusal(**options: Any) -> str:
    with pytest.raises(ValidationError) as told:
        templates.Options(**options)
    assert told.value.error_count() == 1
    return str(told.value)


def test_templates_are_averaged() -> None:
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


def test_templates_that_are_drawn_may_be_evaluated_by_all() -> None:
    """As FLYP does."""
    options = templates.Options(texts=TWO, train="draw", evaluation="all", average="plain")
    assert templates.drawn(options)
    assert templates.evaluation_texts(NAMES, options) == templates.texts(NAMES, options)
    assert templates.averaging(options) == "plain"
    assert "unless train: draw" in refusal(texts=TWO, evaluation="all")


def test_the_paper_evaluates_kinetics_with_one_of_its_28_templates() -> None:
    """Appendix B.4."""
    options = templates.Options(
        file="kinetics28", train="draw", evaluation="a video of a person {}."
    )
    (texts,) = templates.texts(["juggling"], options)
    assert len(texts) == 28
    assert templates.evaluation_texts(["juggling"], options)[0][0] in texts


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("a {} by night\na {} by day\n", encoding="utf-8")
    options = templates.Options(file=str(file))
    assert templates.texts(["cat"], options) == [["a cat by night", "a cat by day"]]


def test_options_that_mean_nothing() -> None:
    assert "either texts or a file" in refusal()
    assert "either texts or a file" in refusal(texts=())
    assert "either texts or a file" in refusal(texts=TWO, file="kinetics28")
    assert "there is no file kinetics27" in refusal(file="kinetics27")
    assert "needs one {}" in refusal(texts=("a photo",))
    assert "needs one {}" in refusal(texts=("{} and {}",))
    assert "nothing is averaged" in refusal(texts=TWO, train="draw", average="plain")
    assert "unless train: draw" in refusal(texts=TWO, evaluation="a {}")
    assert "needs one {}" in refusal(texts=TWO, train="draw", evaluation="a photo")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"classifier": Choice("random")}, "needs classifier text or paradigm matching"),
        ({"schedule": "trained"}, "its schedule is frozen"),
        ({"classifier": Choice("random"), "tuning": "none", "schedule": None}, None),
    ],
)
def test_where_templates_can_be_drawn(changes: dict[str, Any], reason: str | None) -> None:
    drawn = Choice("templates", (("texts", TWO), ("train", "draw")))
    told = templates.check(cell(prompt=drawn, **changes), FACTS)
    assert told is None if reason is None else reason in str(told)
    averaged = Choice("templates", (("texts", TWO),))
    assert templates.check(cell(prompt=averaged, **changes), FACTS) is None
