"""One template around the class name (Table 4): {name: template, text: "a photo of a {}."}."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, field_validator

from harness.prompts._template_texts import fill, with_placeholder


class Options(BaseModel):
    """text: the template, with {} where the class name goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = "a picture of a {}."

    @field_validator("text")
    @classmethod
    def _has_a_placeholder(cls, text: str) -> str:
        return with_placeholder(text)


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """Every class has one text, the template with its name."""
    return fill([options.text], names)
