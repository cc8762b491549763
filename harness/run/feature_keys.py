"""What the features of a cell are found by: the data set, the encoder, frames and views."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.core.cells import Choice
from harness.plan.resolve import ResolvedCell
from harness.run.encoders import EncoderKey, encoder_key
from harness.sampling.support_views import random_crops
from harness.sampling.views import Views, views_of
from harness.training.item_views import ONE_VIEW


@dataclass(frozen=True)
class FeatureKey:
    """The features of a dataset by an encoder and precision, with a number of frames and views."""

    dataset: Choice
    encoder: EncoderKey
    frames: int | None = None
    view: Views = ONE_VIEW
    precision: str = "float32"


def keys_of(resolved: ResolvedCell) -> tuple[FeatureKey, ...]:
    """The keys of all features that a cell may read."""
    return train_key(resolved), support_key(resolved), test_key(resolved)


def train_key(resolved: ResolvedCell) -> FeatureKey:
    """The key of the features of training and validation samples that are whole pictures."""
    cell = resolved.cell
    view = Views(geometry=cell.crops)
    encoder, precision = encoder_key(resolved.setup), cell.feature_precision
    return FeatureKey(cell.dataset, encoder, cell.frames, view, precision)


def support_key(resolved: ResolvedCell) -> FeatureKey:
    """The key of the features of the support set: of its pictures, or of their views."""
    key, crops = train_key(resolved), random_crops(resolved.cell)
    return key if crops is None else replace(key, view=Views(random=crops))


def test_key(resolved: ResolvedCell) -> FeatureKey:
    """The key of the features that a cell is tested on."""
    cell = resolved.cell
    dataset = cell.test_dataset or cell.dataset
    encoder, precision = encoder_key(resolved.setup), cell.feature_precision
    return FeatureKey(dataset, encoder, cell.frames, views_of(cell), precision)
