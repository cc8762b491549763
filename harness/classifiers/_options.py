"""Options that every initialisation has, and the answer to 'can this cell exist?'."""

from __future__ import annotations

from harness.core.protocols.classifier import ClassifierOptions as Options

__all__ = ["Options", "needs_room", "needs_support", "needs_text"]


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
