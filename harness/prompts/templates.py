"""Several templates around the class name, their embeddings averaged.

Each text's embedding is normalised, then the mean is taken (CLIP's prompt ensembling).
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Options(BaseModel):
    """texts: the templates, each with {} where the class name goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    texts: tuple[str, ...] = Field(min_length=1)

    @field_validator("texts")
    @classmethod
    def _have_a_place(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if text.count("{}") != 1:
                raise ValueError(f"the template {text!r} has no single {{}} for the class name")
        return texts


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    return [[text.replace("{}", name) for text in options.texts] for name in names]
