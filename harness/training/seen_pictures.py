"""Hashes of the pixels of pictures that a tuned backbone reads, so that duplicates can be found.

Workers read most of them; each sends the hashes of those that it has read for the first time along
with the pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.sampling.sets import picture_hash
from harness.sampling.views import FrameView

if TYPE_CHECKING:
    import torch
    from PIL import Image


class Seen(NamedTuple):
    """The pixels of a batch, and item -> hash of pictures that were read for the first time."""

    x_NCHW: torch.Tensor
    hashes: Mapping[str, str]


class SeenPictures:
    """Item -> hash of its whole picture, before it is cropped. Frames of clips are not hashed:
    training and evaluation read others of the same clip.
    """

    def __init__(self) -> None:
        self.hashes: dict[str, str] = {}
        self._fresh: dict[str, str] = {}

    def add(self, hashes: Mapping[str, str]) -> None:
        """What another process has seen."""
        self.hashes.update(hashes)

    def see(self, views: Sequence[FrameView], images: Sequence[Image.Image]) -> None:
        """The whole images of these views, read in this process."""
        for view, image in zip(views, images, strict=True):
            if view.frame is None and view.item not in self.hashes:
                self.hashes[view.item] = picture_hash(image)[:32]
                self._fresh[view.item] = self.hashes[view.item]

    def with_hashes(self, read: Callable[[Any], torch.Tensor]) -> Callable[[Any], Seen]:
        """`read`, in whatever process it is called, with what it has seen since the last call."""

        def read_and_tell(request: Any) -> Seen:
            x_NCHW = read(request)
            fresh, self._fresh = self._fresh, {}
            return Seen(x_NCHW, fresh)

        return read_and_tell
