"""Augmentation of training images: the paper's random crop, flip and grey (section 4.1).

Every item and epoch has its own random stream; all frames of a clip are augmented alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.sampling.crops import PICTURE
from harness.training.tsn_crop import TsnCrop, draw_box

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

#: Share of the area that is kept, and aspect ratio.
AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
FLIPPED, GREY = 0.5, 0.2
TRIES = 10


@dataclass(frozen=True)
class Augmentation:
    """One draw: `box` is (left, top, width, height) as fractions of the image."""

    box: tuple[float, float, float, float]
    flip: bool = False
    grey: bool = False

    def __call__(self, image: Image.Image, resolution: int) -> Image.Image:
        """The augmented image, square at `resolution`."""
        from PIL import Image as Pillow
        from PIL import ImageOps

        left, top = self.box[0] * image.width, self.box[1] * image.height
        right, low = left + self.box[2] * image.width, top + self.box[3] * image.height
        resized = image.resize(
            (resolution, resolution), Pillow.Resampling.BICUBIC, box=(left, top, right, low)
        )
        if self.flip:
            resized = ImageOps.mirror(resized)
        return ImageOps.grayscale(resized).convert("RGB") if self.grey else resized


def draw(
    name: str,
    size: tuple[int, int],
    stream: np.random.Generator,
    crop: str | None = None,
    resolution: int = PICTURE,
) -> Augmentation | TsnCrop:
    """`crop`: a random crop of 8 to 100% of the area. `crop_flip`: the same, then a horizontal flip
    with probability 0.5 and grey with probability 0.2.

    Motions to the left and right must not be flipped: use `crop` for them. With `crop` "tsn" the
    random crop of pictures of `resolution` pixels is that of tsn_crop.py.
    """
    flip = grey = False
    if crop == "tsn":
        pixels, fallback = draw_box(size, resolution, stream)
        if name != "crop":
            flip, grey = bool(stream.random() < FLIPPED), bool(stream.random() < GREY)
        return TsnCrop(pixels, fallback, flip, grey)
    box = random_box(size, stream)
    if name != "crop":
        flip, grey = bool(stream.random() < FLIPPED), bool(stream.random() < GREY)
    return Augmentation(box, flip, grey)


def random_box(
    size: tuple[int, int], stream: np.random.Generator, share: tuple[float, float] = AREA
) -> tuple[float, float, float, float]:
    """A crop of this share of the area that fits into the image of (width, height), as fractions;
    the whole image after TRIES draws that do not.
    """
    width, height = size
    for _ in range(TRIES):
        area = width * height * stream.uniform(*share)
        ratio = math.exp(stream.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w, h = math.sqrt(area * ratio) / width, math.sqrt(area / ratio) / height
        if w <= 1 and h <= 1:
            return (stream.uniform(0, 1 - w), stream.uniform(0, 1 - h), w, h)
    return (0.0, 0.0, 1.0, 1.0)
