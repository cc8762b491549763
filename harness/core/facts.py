"""Facts about an encoder and a cell that are known before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.text_form import AS_IT_IS, TextForm


@dataclass(frozen=True)
class EncoderFacts:
    """Facts about an encoder that are known without loading its weights."""

    weights: str  # content hash of everything that its outputs depend on
    backbone: str  # content hash of what the backbone features depend on
    dim: int  # D
    feature_dim: int  # F
    resolution: int
    logit_scale: float
    text_dim: int | None = None  # None: no text tower
    fixed_resolution: bool = False  # whether it cannot read images of another size
    tower: str = "other"  # vit | resnet | other: which temporal modules fit
    text_width: int | None = None  # of its own text transformer, which is not that of embeddings
    #: Side of a picture over the short side that preprocessing resizes to before it crops.
    crop_share: float = 1.0
    text_form: TextForm = AS_IT_IS  # how its text tower reads texts
    #: Multiply-adds of one image of `resolution`; None: known once it was built. For estimates.
    macs: float | None = None
    #: Whether the blocks of its towers have attention of a kind that adapters (tuning: lora) fit;
    #: None: known once it is built.
    image_adapters: bool | None = None
    text_adapters: bool | None = None


@dataclass(frozen=True)
class CellFacts:
    """What `check` of a plugin may depend on; known before anything is loaded."""

    n_classes: int
    #: Samples of its smallest class that the cell trains on, or that a classifier is made of: with
    #: pooled support views every view is one. None if there are none.
    per_class: int | None
    encoder: EncoderFacts
    linear_head: bool = False  # whether W is trained as that of a linear head on frozen features
    takes_context: bool = False  # whether the text tower can be trained, or trained through
    #: What the cell takes from the file of `init`, by the names in `harness.training.weights`.
    restored: frozenset[str] = frozenset()
