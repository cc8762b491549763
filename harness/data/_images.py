"""Reading one picture safely: whole, right way up, RGB, and never a bomb."""

from __future__ import annotations

import threading
import warnings
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError, features

from harness.core.errors import DataError
from harness.data._files import refuse_special

#: Kinds that are always read.
EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
#: Formats that Pillow registers and that are not read: EPS would start Ghostscript, MPEG and IPTC
#: are no pictures. What only a handler of another package could read is found by its class.
NOT_READ = frozenset({"EPS", "MPEG", "IPTC"})
#: Its pixels are floating-point numbers, which `open_rgb` refuses.
FLOATING_POINT = frozenset({".pfm"})
#: Formats that Pillow registers even where it was built without the library that decodes them.
NEEDS = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}
MAX_PIXELS = 64_000_000
SIXTEEN_BITS = 65_535
_HEADER = threading.Lock()  # catch_warnings is not safe across threads


@cache
def picture_suffixes() -> frozenset[str]:
    """The suffixes of picture files that are read, in lower case: what Pillow can open here."""
    Image.init()

    def is_read(kind: str) -> bool:
        factory = Image.OPEN[kind][0] if kind in Image.OPEN else None
        if factory is None or kind in NOT_READ:
            return False
        stub = isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
        return not stub and (kind not in NEEDS or features.check(NEEDS[kind]) is True)

    known = Image.registered_extensions().items()
    return EXTENSIONS | {s.lower() for s, kind in known if is_read(kind)} - FLOATING_POINT


def open_rgb(path: Path | IO[bytes], name: str | None = None) -> Image.Image:
    """The picture at `path`, or in an open file, as RGB, transparency over white.

    16 bits a pixel are scaled to 8: 65535 is 255.

    Raises DataError, naming the file, if it is missing, empty, cut short, not a picture, larger
    than MAX_PIXELS, or of numbers whose range is not known.
    """
    shown = name or path
    if isinstance(path, Path):
        refuse_special(path, "picture")
    try:
        with _open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(
                    f"picture {shown} is {image.width} x {image.height}; the limit is "
                    f"{MAX_PIXELS} pixels"
                )
            return _flatten(_eight_bits(ImageOps.exif_transpose(image), shown))
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"picture {shown} is too large to be safe: {error}") from error
    except UnidentifiedImageError as error:
        raise DataError(f"picture {shown} is not a picture that can be read") from error
    except Exception as error:  # on damaged bytes Pillow raises errors of any kind
        raise DataError(f"picture {shown} cannot be read: {error}") from error


def _open(path: Path | IO[bytes]) -> Image.Image:
    """Reads the header alone."""
    with _HEADER, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(path)


def _eight_bits(image: Image.Image, shown: object) -> Image.Image:
    """Pillow's own conversion would cut grey of more than 8 bits off at 255."""
    if image.mode == "F":
        raise DataError(
            f"picture {shown} holds floating-point numbers, of which it is not known what is "
            "white: save it with 8 or 16 bits"
        )
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return image
    grey_HW = np.asarray(image).astype(np.int64)
    low, high = int(grey_HW.min()), int(grey_HW.max())
    if low < 0 or high > SIXTEEN_BITS:
        raise DataError(
            f"picture {shown} holds whole numbers from {low} to {high}; those of 16 bits end at "
            f"{SIXTEEN_BITS}"
        )
    return Image.fromarray(((grey_HW + 128) // 257).astype(np.uint8))


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image.copy()
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    white.alpha_composite(rgba)
    return white.convert("RGB")
