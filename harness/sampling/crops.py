"""Sizes and crops of a frame in evaluation.

`full_resolution` is what the paper's public code does: the frame is resized to a short side of 256
for pictures of 224, and of c for pictures of any other c; then pictures of c x c are cut out of it.
One is the centre. Of three, with w = (W - c) // 4 and h = (H - c) // 4, the corners are (0, 2h),
(4w, 2h) and (2w, 2h). On an upright frame w is 0, and the three are one picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

FULL_RESOLUTION = "full_resolution"
#: How many crops `full_resolution` knows.
COUNTS = (1, 3)
#: Pictures of this size are cut out of frames with a short side of SHORT_SIDE.
PICTURE, SHORT_SIDE = 224, 256


def resized_side(resolution: int) -> int:
    """The short side that frames are resized to for pictures of c = `resolution` pixels."""
    return SHORT_SIDE if resolution == PICTURE else resolution


def size_at(size: tuple[int, int], side: int) -> tuple[int, int]:
    """(width, height) with a short side of `side`; the long side is cut to a whole number."""
    width, height = size
    if width <= height:
        return side, side * height // width
    return side * width // height, side


def at_short_side(image: Image.Image, side: int, *, bilinear: bool = False) -> Image.Image:
    """The picture, made smaller or larger to a short side of `side`; bicubic or bilinear."""
    from PIL import Image as Pillow

    if min(image.size) == side:
        return image
    how = Pillow.Resampling.BILINEAR if bilinear else Pillow.Resampling.BICUBIC
    return image.resize(size_at(image.size, side), how)


def corner(size: tuple[int, int], resolution: int, number: int, count: int) -> tuple[int, int]:
    """(left, top) of crop `number` of `count`, of c x c pixels, in a frame of (width, height)."""
    width, height = size
    if count == 1:
        return round((width - resolution) / 2), round((height - resolution) / 2)
    w, h = (width - resolution) // 4, (height - resolution) // 4
    return ((0, 2 * h), (4 * w, 2 * h), (2 * w, 2 * h))[number]


def full_resolution(image: Image.Image, number: int, count: int, resolution: int) -> Image.Image:
    """Crop `number` of `count`, c x c pixels."""
    resized = at_short_side(image, resized_side(resolution))
    left, top = corner(resized.size, resolution, number, count)
    return resized.crop((left, top, left + resolution, top + resolution))


def square(image: Image.Image, number: int, count: int) -> Image.Image:
    """Crop `number` of `count`: squares of the short side, spread evenly along the long side."""
    side = min(image.size)
    share = number / (count - 1)
    left = round((image.width - side) * share)
    top = round((image.height - side) * share)
    return image.crop((left, top, left + side, top + side))
