"""The random crop of the paper's public code, which is that of TSN (`recipe.crop: tsn`).

The frame is resized to the short side of evaluation (256 for pictures of 224, else c). Up to ten
tries draw an area of 0.08 to 1 of the frame and a ratio of 3/4 to 4/3, both uniform; width and
height change places with probability 0.5. The first that fits is cut out anywhere and resized to
c x c. Where none fits, the short side becomes c, and c x c pixels are cut out anywhere. Both of
these resizes are bilinear, the first one is bicubic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.sampling.crops import at_short_side, resized_side, size_at

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
SWAPPED = 0.5
TRIES = 10

#: (left, top, width, height) in pixels
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class TsnCrop:
    """One draw. `box` is a part of the frame at the short side of evaluation; with `fallback` it is
    c x c pixels of the frame at the short side c.
    """

    box: Box
    fallback: bool = False
    flip: bool = False
    grey: bool = False

    def __call__(self, image: Image.Image, resolution: int) -> Image.Image:
        """The picture, square at `resolution`."""
        from PIL import Image as Pillow
        from PIL import ImageOps

        frame = at_short_side(image, resized_side(resolution))
        if self.fallback:
            frame = at_short_side(frame, resolution, bilinear=True)
        left, top, width, height = self.box
        picture = frame.crop((left, top, left + width, top + height))
        if not self.fallback:
            picture = picture.resize((resolution, resolution), Pillow.Resampling.BILINEAR)
        if self.flip:
            picture = ImageOps.mirror(picture)
        return ImageOps.grayscale(picture).convert("RGB") if self.grey else picture


def draw_box(
    size: tuple[int, int], resolution: int, stream: np.random.Generator
) -> tuple[Box, bool]:
    """(box, whether it is the fallback) for a frame of (width, height)."""
    side = resized_side(resolution)
    scaled = size if min(size) == side else size_at(size, side)
    for _ in range(TRIES):
        area = scaled[0] * scaled[1] * stream.uniform(*AREA)
        ratio = stream.uniform(*RATIO)
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if stream.random() < SWAPPED:
            w, h = h, w
        if w <= scaled[0] and h <= scaled[1]:
            return (*_corner(scaled, (w, h), stream), w, h), False
    small = scaled if min(scaled) == resolution else size_at(scaled, resolution)
    return (*_corner(small, (resolution, resolution), stream), resolution, resolution), True


def _corner(
    size: tuple[int, int], crop: tuple[int, int], stream: np.random.Generator
) -> tuple[int, int]:
    """Any (left, top), the last that fits included."""
    left = int(stream.integers(0, size[0] - crop[0], endpoint=True))
    return left, int(stream.integers(0, size[1] - crop[1], endpoint=True))
