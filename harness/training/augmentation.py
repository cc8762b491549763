"""Changes of a training picture: the paper's random crop, flip and grey (section 4.1).

Drawn from a stream of their own for every item and epoch; all frames of a clip are changed alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

#: Share of the area that is kept, and the ratio of width to height.
AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
FLIPPED, GREY = 0.5, 0.2
TRIES = 10


@dataclass(frozen=True)
class Augmentation:
    """One draw: `box` as shares of the picture (left, top, width, height)."""

    box: tuple[float, float, float, float]
    flip: bool = False
    grey: bool = False

    def __call__(self, image: Image.Image, resolution: int) -> Image.Image:
        """The changed picture, square at `resolution`."""
        from PIL import Image as Pillow
        from PIL import ImageOps

        left, top = self.box[0] * image.width, self.box[1] * image.height
        right, low = left + self.box[2] * image.width, top + self.box[3] * image.height
        found = image.resize(
            (resolution, resolution), Pillow.Resampling.BICUBIC, box=(left, top, right, low)
        )
        if self.flip:
            found = ImageOps.mirror(found)
        return ImageOps.grayscale(found).convert("RGB") if self.grey else found


def draw(name: str, size: tuple[int, int], stream: np.random.Generator) -> Augmentation:
    """`crop`: a random part of 8 to 100% of the area; `crop_flip`: mirrored half of the time and
    grey a fifth of it as well.

    Motions to the left and right must not be mirrored: `crop` is for them.
    """
    box = _box(size, stream)
    if name == "crop":
        return Augmentation(box)
    return Augmentation(box, bool(stream.random() < FLIPPED), bool(stream.random() < GREY))


def _box(size: tuple[int, int], stream: np.random.Generator) -> tuple[float, float, float, float]:
    """A part whose area and ratio fit; the whole picture if none was drawn."""
    width, height = size
    for _ in range(TRIES):
        area = width * height * stream.uniform(*AREA)
        ratio = math.exp(stream.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w, h = math.sqrt(area * ratio) / width, math.sqrt(area / ratio) / height
        if w <= 1 and h <= 1:
            return (stream.uniform(0, 1 - w), stream.uniform(0, 1 - h), w, h)
    return (0.0, 0.0, 1.0, 1.0)
