"""The sentences on what carries the gain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.outcomes import Contrast
from harness.report.model.controls import (
    ALIGNMENT,
    GAIN,
    GEOMETRY,
    SEMANTICS,
    Controls,
    Part,
)
from harness.report.model.labels import Column
from harness.report.text.controls import below_controls, controls_sentences, verdict

from ..model.test_controls import found

PLAIN = Contrast("a", "b", 0.05, 0.01, 0.09, 0.02, 0.02, 5, 100, 100, "E2", "t", se=0.02, df=9.0)


def part(name: str = ALIGNMENT, **changes: Any) -> Part:
    return Part(name, Column("1 shot"), "text", "b", replace(PLAIN, **changes))


@pytest.mark.parametrize(
    ("changes", "margin", "said"),
    [
        ({}, None, "adds"),
        ({"difference": -0.05}, None, "costs"),
        ({"p_adjusted": 0.2}, None, "undecided"),
        ({"p_adjusted": None}, 0.02, "descriptive"),
        ({"p_adjusted": 0.2, "p_equivalent": 0.051}, 0.02, "undecided"),
        ({"p_adjusted": 0.2, "p_equivalent": 0.05}, 0.02,
         "equivalent to 0 within 2 points"),
        ({"difference": 0.01, "p_equivalent": 0.01}, 0.02, "adds, but within 2 points"),
        ({"difference": -0.01, "p_equivalent": 0.01}, 0.02, "costs, but within 2 points"),
    ],
)  # fmt: skip
def test_verdicts(changes: dict[str, Any], margin: float | None, said: str) -> None:
    assert verdict(part(**changes), margin) == said


def test_equal_outcomes_are_undecided_and_never_adds() -> None:
    equal = part(difference=0.0, low=0.0, high=0.0, p=1.0, p_adjusted=1.0, se=0.0)
    assert verdict(equal, None) == "undecided"


def test_a_sentence_says_the_gain_and_then_its_parts() -> None:
    parts = (
        part(GAIN), part(ALIGNMENT, difference=0.06, p_adjusted=0.001),
        part(GEOMETRY, difference=-0.01, p_adjusted=0.4), replace(part(SEMANTICS), contrast=None),
    )  # fmt: skip
    (said,) = controls_sentences(Controls(parts, 4), None, 1)
    assert said == (
        "At 1 shot, the gain of text over random rows is +5.0 points (adjusted p = 0.02). "
        "Alignment with the image space adds 6.0 points (adjusted p = 0.001); geometry is "
        "undecided (-1.0, adjusted p = 0.4); class semantics is missing."
    )


def test_without_random_rows_there_is_no_gain() -> None:
    (said,) = controls_sentences(Controls((part(SEMANTICS, difference=-0.05),), 1), None, 1)
    assert said == "At 1 shot: class semantics costs 5.0 points (adjusted p = 0.02)."


def test_the_caption_declares_the_family() -> None:
    below = below_controls(found())
    assert "Every pair has its adjusted p in the family of the page." in below
    report = {"rows": "classifier", "columns": "shots", "reference": "text", "family": "reference"}
    of_reference = below_controls(found({"report": report}))
    assert "the other 4 differences of this section, in all columns, are a family" in of_reference
    assert "The gain is the sum of two parts" in below
    descriptive = below_controls(found({"seeds": 1}))
    assert "Descriptive: too few seeds" in descriptive
    assert "Holm" not in descriptive


def test_parts_that_are_there_twice_have_no_sentence() -> None:
    assert controls_sentences(Controls((part(GAIN), part(GAIN)), 2), None, 1) == []
