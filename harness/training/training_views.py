"""What training reads of a sample: random frames, a random crop, drawn anew in every epoch.

Every draw comes from a stream named by seed, epoch and item, so it is the same in whatever process
and order the samples are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.protocols.dataset import as_clips
from harness.core.seeding import numpy_stream
from harness.sampling.views import FrameView, training_frames
from harness.training.augmentation import draw
from harness.training.pictures import Pictures

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class Sampling:
    """How training reads an item: T random frames (None: one image) with the augmentation
    `augment`, drawn anew in every epoch; `crop` and `repeats` as in the recipe.
    """

    seed: int | None
    frames: int | None = None
    augment: str = "none"
    crop: str | None = None
    repeats: str | None = None
    batch_norm: str | None = None


@dataclass(frozen=True)
class TrainingViews:
    """The training views of samples, by epoch and number. A sample comes again in an epoch at its
    number plus a multiple of N, with other frames and another augmentation.
    """

    pictures: Pictures
    items: Sequence[str]
    sampling: Sampling

    @property
    def change(self) -> bool:
        """Whether a sample is another one in every epoch."""
        return self.sampling.augment != "none" or as_clips(self.pictures.dataset) is not None

    def read(self, request: tuple[int, Sequence[int]]) -> torch.Tensor:
        """Pixels (B x T, 3, R, R) of (epoch, numbers of B samples).

        Raises DataError for an item that cannot be read.
        """
        import torch

        epoch, numbers = request
        return torch.cat([self._of_sample(epoch, number) for number in numbers])

    def pictures_of(self, numbers: Sequence[int]) -> list[FrameView]:
        """The views of samples that do not change."""
        return [FrameView(self.items[number % len(self.items)]) for number in numbers]

    def _of_sample(self, epoch: int, number: int) -> torch.Tensor:
        """Pixels (T, 3, R, R): the item is opened once."""
        views, sampling, pictures = self._views(epoch, number), self.sampling, self.pictures
        if sampling.augment == "none":
            return pictures.read(views)
        images = pictures.images(views)
        stream = self._stream("augment", epoch, number)
        change = draw(sampling.augment, images[0].size, stream, sampling.crop, pictures.resolution)
        return pictures.augmented(images, change)

    def _views(self, epoch: int, number: int) -> list[FrameView]:
        item = self.items[number % len(self.items)]
        clips = as_clips(self.pictures.dataset)
        if clips is None:
            return [FrameView(item)]
        indices = training_frames(
            clips.length(item), self.sampling.frames or 1, self._stream("frames", epoch, number),
            self.sampling.repeats,
        )  # fmt: skip
        return [FrameView(item, frame) for frame in indices]

    def _stream(self, purpose: str, epoch: int, number: int) -> np.random.Generator:
        """The stream of a sample in an epoch, and of its repetition in it."""
        repetition, i = divmod(number, len(self.items))
        again = (repetition,) if repetition else ()
        return numpy_stream(self.sampling.seed, purpose, epoch, self.items[i], *again)
