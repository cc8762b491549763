"""Views of an item: frames of a clip, and crops of a frame.

A video of L frames is divided into T equal segments. Training reads a random frame of each;
evaluation the centre or the first frame of each. With V clips a segment is divided further, so that
the clips read different frames. An item that is an image has no frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

#: Pictures of up to SMALL pixels are cut out of frames with a short side of SHORT_SIDE.
SMALL, SHORT_SIDE = 224, 256


@dataclass(frozen=True)
class FrameView:
    """One image of an item: a frame by index (None: the item is an image), and (number, count) of
    the crop (None: the whole image, as the encoder's own preprocessing crops it).
    """

    item: str
    frame: int | None = None
    crop: tuple[int, int] | None = None

    def address(self, fingerprint: str) -> str:
        """The address of its features, given the fingerprint of its item."""
        parts = [fingerprint]
        if self.frame is not None:
            parts.append(f"frame {self.frame}")
        if self.crop is not None:
            parts.append(f"crop {self.crop[0]} of {self.crop[1]}")
        return " ".join(parts)


def short_side(resolution: int, crop_share: float = 1.0) -> int:
    """The short side that frames need for pictures of `resolution`: 256 up to 224 pixels (section
    4.1), above that what preprocessing crops the picture out of.

    `crop_share` is the side of the picture over the short side that preprocessing resizes to.
    """
    if resolution <= SMALL:
        return SHORT_SIDE
    return max(SHORT_SIDE, math.ceil(resolution / crop_share - 1e-6))


def views(text: str) -> tuple[int, int]:
    """`4x3` to (clips, crops)."""
    clips, _, crops = text.partition("x")
    return int(clips), int(crops)


def evaluation_frames(
    length: int, frames: int, position: str = "centre", clip: int = 0, clips: int = 1
) -> tuple[int, ...]:
    """The frame of each of T segments that clip number `clip` of `clips` reads.

    A video shorter than T shows some frames more than once.
    """
    within = (clip + (0.5 if position == "centre" else 0.0)) / clips
    return tuple(min(int((t + within) * length / frames), length - 1) for t in range(frames))


def training_frames(length: int, frames: int, stream: np.random.Generator) -> tuple[int, ...]:
    """A random frame of each of T segments."""
    indices = []
    for t in range(frames):
        start = int(t * length / frames)
        stop = max(int((t + 1) * length / frames), start + 1)
        indices.append(min(int(stream.integers(start, stop)), length - 1))
    return tuple(indices)


def frame_views(
    item: str,
    *,
    length: int | None,
    frames: int | None,
    view: tuple[int, int] = (1, 1),
    position: str = "centre",
) -> list[list[FrameView]]:
    """(V, T) views of an item: every clip in every crop. An item that is an image (length None) has
    T = 1.
    """
    clips, crops = view
    out = []
    for clip in range(clips):
        indices: Sequence[int | None] = (None,)
        if length is not None:
            indices = evaluation_frames(length, frames or 1, position, clip, clips)
        for number in range(crops):
            crop = (number, crops) if crops > 1 else None
            out.append([FrameView(item, frame, crop) for frame in indices])
    return out


def cropped(image: Image.Image, crop: tuple[int, int] | None) -> Image.Image:
    """Crop `number` of `count`: squares of the short side, spread evenly along the long side."""
    if crop is None:
        return image
    number, count = crop
    side = min(image.size)
    share = number / (count - 1)
    left = round((image.width - side) * share)
    top = round((image.height - side) * share)
    return image.crop((left, top, left + side, top + side))
