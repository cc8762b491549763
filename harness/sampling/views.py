"""Views of an item: frames of a clip, and crops of a frame.

A video of L frames is divided into T equal segments. Training reads a random frame of each;
evaluation the centre or the first frame of each. With V clips a segment is divided further, so that
the clips read different frames; `clip_starts: linspace` spreads the beginnings of the clips as the
paper's public code does. An item that is an image has no frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.sampling.crops import FULL_RESOLUTION, SHORT_SIDE, full_resolution, square
from harness.sampling.support_views import RandomCrop, RandomCrops

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

#: Pictures of up to so many pixels are cut out of frames with a short side of SHORT_SIDE.
SMALL = 224
LINSPACE = "linspace"


@dataclass(frozen=True)
class Views:
    """Clips and crops of an item in evaluation, and how they are chosen (None: as ever); or random
    crops of a support picture.
    """

    clips: int = 1
    crops: int = 1
    starts: str | None = None  # linspace
    geometry: str | None = None  # of the crops: full_resolution
    random: RandomCrops | None = None  # in place of all these

    @property
    def count(self) -> int:
        """V."""
        return self.clips * self.crops if self.random is None else self.random.n


@dataclass(frozen=True)
class FrameView:
    """One image of an item: a frame by index (None: the item is an image), and (number, count) of
    the crop (None: the whole image, as the encoder's own preprocessing crops it); or a random crop
    of an item that is an image.
    """

    item: str
    frame: int | None = None
    crop: tuple[int, int] | None = None
    geometry: str | None = None
    random: RandomCrop | None = None

    def address(self, fingerprint: str) -> str:
        """The address of its features, given the fingerprint of its item."""
        if self.random is not None:
            return self.random.address(fingerprint)
        parts = [fingerprint]
        if self.frame is not None:
            parts.append(f"frame {self.frame}")
        if self.geometry is not None:
            parts.append(self.geometry)
        if self.crop is not None:
            parts.append(f"crop {self.crop[0]} of {self.crop[1]}")
        return " ".join(parts)


def short_side(resolution: int, crop_share: float = 1.0, geometry: str | None = None) -> int:
    """The short side that frames need for pictures of `resolution`: 256 up to 224 pixels (section
    4.1), above that what the picture is cropped out of.

    `crop_share` is the side of the picture over the short side that the encoder's preprocessing
    resizes to.
    """
    if resolution <= SMALL:
        return SHORT_SIDE
    if geometry is not None:
        return resolution
    return max(SHORT_SIDE, math.ceil(resolution / crop_share - 1e-6))


def views(text: str) -> tuple[int, int]:
    """`4x3` to (clips, crops)."""
    clips, _, crops = text.partition("x")
    return int(clips), int(crops)


def views_of(cell: Cell) -> Views:
    """The views in which a cell is tested."""
    return Views(*views(cell.views), cell.clip_starts, cell.crops)


def evaluation_frames(
    length: int,
    frames: int,
    position: str = "centre",
    clip: int = 0,
    clips: int = 1,
    starts: str | None = None,
) -> tuple[int, ...]:
    """The frame of each of T segments that clip number `clip` of `clips` reads.

    A video shorter than T shows some frames more than once.
    """
    if starts == LINSPACE and clips > 1:
        start = _start(length, frames, clip, clips)
        return tuple((start + t * length // frames) % length for t in range(frames))
    within = (clip + (0.5 if position == "centre" else 0.0)) / clips
    return tuple(min(int((t + within) * length / frames), length - 1) for t in range(frames))


def _start(length: int, frames: int, clip: int, clips: int) -> int:
    """Of linspace(0, L / T - 1, clips), cut to a whole number."""
    import numpy as np

    return int(np.linspace(0, length / frames - 1, clips)[clip])


def training_frames(
    length: int, frames: int, stream: np.random.Generator, repeats: str | None = None
) -> tuple[int, ...]:
    """A random frame of each of T segments.

    A video shorter than T shows some frames more than once: those that its segments have in common,
    or with `repeats: random` every frame once and T - L at random, in order.
    """
    if repeats is not None and length <= frames:
        more = stream.integers(0, length, frames - length).tolist()
        return tuple(sorted([*range(length), *more]))
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
    view: Views = Views(),
    position: str = "centre",
) -> list[list[FrameView]]:
    """(V, T) views of an item: every clip in every crop. An item that is an image (length None) has
    T = 1.
    """
    out = []
    for clip in range(view.clips):
        indices: Sequence[int | None] = (None,)
        if length is not None:
            indices = evaluation_frames(
                length, frames or 1, position, clip, view.clips, view.starts
            )
        for number in range(view.crops):
            whole = view.crops == 1 and view.geometry is None
            crop = None if whole else (number, view.crops)
            out.append([FrameView(item, frame, crop, view.geometry) for frame in indices])
    return out


def cropped(image: Image.Image, view: FrameView, resolution: int) -> Image.Image:
    """The part of a picture that a view shows; of c x c pixels for `full_resolution`."""
    if view.crop is None:
        return image
    if view.geometry == FULL_RESOLUTION:
        return full_resolution(image, *view.crop, resolution)
    return square(image, *view.crop)
