"""Options that every initialisation has, and the answer to 'can this cell exist?'."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """scale: the logit scale, in place of the encoder's own. normalise: rows of W have length 1
    in the forward pass, so the length in which they were drawn does not matter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: float | None = Field(default=None, gt=0)
    normalise: bool = True


def needs_text(facts: object) -> str | None:
    """Why a classifier made of text cannot exist with an encoder that has no text tower."""
    has_text = getattr(facts, "text_dim", None) is not None
    return None if has_text else "the encoder has no text tower: name a text_encoder"


def needs_room(n_classes: int, dim: int, what: str) -> str | None:
    return (
        None if n_classes <= dim
        else f"{what} needs at most as many classes as dimensions: {n_classes} > {dim}"
    )  # fmt: skip


def needs_support(regime: str) -> str | None:
    return "there are no training samples in zero-shot" if regime == "zero_shot" else None
