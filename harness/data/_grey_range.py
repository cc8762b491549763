"""Grey pictures of more than 8 bits: what is white in them, by what their file declares.

Pillow's own conversion to 8 bits cuts values off at 255, and gives those of 12 bits unscaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from harness.core.errors import DataError

SIXTEEN_BITS = 65_535
#: Formats that fill their 16 bits, whatever their depth was; Pillow gives some of them with 32.
FILLED = frozenset({"PNG", "PPM", "JPEG2000"})
#: Tags of TIFF.
BITS, PHOTOMETRIC, MOST, PLANES, SAMPLE_FORMAT, MOST_TYPED = 258, 262, 281, 284, 339, 341
UNSIGNED, WHITE_IS_ZERO, SEPARATE = 1, 0, 2


@dataclass(frozen=True)
class GreyRange:
    """The value of white, and whether it is 0 that is white."""

    white: int
    inverted: bool = False


def grey_range(image: Image.Image, shown: object) -> GreyRange | None:
    """The range of a picture as it was opened, before it is turned; None where it has 8 bits.

    Raises DataError if the file does not declare what is white: floating-point numbers, and whole
    numbers that are signed or of more than 16 bits. So do TIFF files that Pillow would show wrong.
    """
    if image.mode == "F":
        raise DataError(
            f"picture {shown} holds floating-point numbers, of which it is not known what is "
            "white: save it with 8 or 16 bits"
        )
    grey = image.mode == "I" or image.mode.startswith("I;16")
    if isinstance(image, TiffImageFile):
        declared = _declared(image)
        if grey:
            return _of_tiff(image, declared, shown)
        _refuse_changed(image, declared, shown)
    if not grey:
        return None
    if image.format in FILLED:
        return GreyRange(SIXTEEN_BITS)
    raise DataError(
        f"picture {shown} ({image.format}) holds whole numbers of which it is not known what is "
        "white: save it as PNG"
    )


def eight_bits(image: Image.Image, grey: GreyRange, shown: object) -> Image.Image:
    """Black 0, white 255; a colour that is declared transparent is white.

    Raises DataError for a value outside of the range.
    """
    grey_HW = np.asarray(image).astype(np.int64)
    low, high = int(grey_HW.min()), int(grey_HW.max())
    if low < 0 or high > grey.white:
        raise DataError(
            f"picture {shown} holds whole numbers from {low} to {high}; its range ends at "
            f"{grey.white}"
        )
    scaled_HW = (grey_HW * 255 + grey.white // 2) // grey.white
    if grey.inverted:
        scaled_HW = 255 - scaled_HW
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        scaled_HW[grey_HW == transparent] = 255
    return Image.fromarray(scaled_HW.astype(np.uint8))


def _of_tiff(image: TiffImageFile, declared: int | None, shown: object) -> GreyRange:
    inverted = image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    bits = _bits(image)
    unsigned = _is_unsigned(image)
    if declared is not None:
        return GreyRange(declared, inverted)
    if unsigned and bits <= 16:
        return GreyRange(2**bits - 1, inverted)
    sign = "" if unsigned else "signed "
    raise DataError(
        f"picture {shown} holds {sign}whole numbers of {bits} bits, of which it is not known what "
        "is white (no tag MaxSampleValue, such as 4095 or 65535): save it with 8 or 16 bits"
    )


def _refuse_changed(image: TiffImageFile, declared: int | None, shown: object) -> None:
    """Raises DataError for what Pillow gives other colours than the file holds.

    Of 16 bits it keeps the high byte, so a smaller range is almost black; channels that are stored
    one after the other it reads as if they had 8 bits.
    """
    if not _is_unsigned(image):
        raise DataError(f"picture {shown} holds signed numbers, which are not read")
    if _bits(image) != 16:
        return
    if declared is not None and declared < SIXTEEN_BITS:
        raise DataError(
            f"picture {shown} declares colours from 0 to {declared}, which are not read: save it "
            f"with 8 bits, or with 16 that end at {SIXTEEN_BITS}"
        )
    if image.tag_v2.get(PLANES) == SEPARATE:
        raise DataError(
            f"picture {shown} holds channels of 16 bits one after the other, which are not read: "
            "save it with interleaved channels"
        )


def _is_unsigned(image: TiffImageFile) -> bool:
    return _first(image, SAMPLE_FORMAT, UNSIGNED) == UNSIGNED


def _declared(image: TiffImageFile) -> int | None:
    """MaxSampleValue of a TIFF, if it is the end of a range of more than 8 bits.

    Writers also store the largest value that happens to occur in the picture. It says nothing of
    what is white, and it is rarely one less than a power of two.
    """
    for tag in (MOST, MOST_TYPED):
        most = _first(image, tag, 0)
        bits = int(most).bit_length()
        if bits > 8 and most == 2**bits - 1:
            return int(most)
    return None


def _bits(image: TiffImageFile) -> int:
    return int(_first(image, BITS, 1))


def _first(image: TiffImageFile, tag: int, default: float) -> float:
    """The number under a tag, or that of the first channel where each has its own."""
    value = image.tag_v2.get(tag, default)
    return float(value[0] if isinstance(value, tuple) else value)
