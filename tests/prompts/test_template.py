"""template: one template around every name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.prompts import template

from .cells import NAMES


def test_the_name_takes_the_place_of_the_braces() -> None:
    one = template.Options(text="a photo of the {}")
    assert template.texts(NAMES, one) == [["a photo of the red car"], ["a photo of the cat"]]
    assert template.texts(["cat"], template.Options()) == [["a picture of a cat."]]


@pytest.mark.parametrize("text", ["a photo", "{} and {}"])
def test_a_template_has_one_placeholder(text: str) -> None:
    with pytest.raises(ValidationError, match="where the class name goes"):
        template.Options(text=text)
