"""What is known of an encoder and of a cell before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EncoderFacts:
    """What can be known of an encoder without loading it."""

    weights: str  # content hash of all that it computes with
    backbone: str  # content hash of what the backbone features depend on
    dim: int  # D
    feature_dim: int  # F
    resolution: int
    logit_scale: float
    text_dim: int | None = None  # None: no text tower
    fixed_resolution: bool = False  # pictures of another size cannot be read
    tower: str = "other"  # vit | resnet | other: what temporal modules can be put into


@dataclass(frozen=True)
class CellFacts:
    """What `check` of a plugin may look at, known before anything is loaded."""

    n_classes: int
    per_class: int | None  # training samples of the smallest class, None where nothing is trained
    encoder: EncoderFacts
    takes_context: bool = False  # whether the text tower can be trained, or trained through
