"""Reading one picture safely: whole, right way up, RGB, and never a bomb."""

from __future__ import annotations

import threading
import warnings
from functools import cache
from pathlib import Path
from typing import IO

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError, features

from harness.core.errors import DataError
from harness.data._files import refuse_special
from harness.data._grey_range import eight_bits, grey_range

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
#: Formats of several frames or pages; and the tag of TIFF that says what a page is.
SEVERAL = frozenset({"GIF", "PNG", "WEBP", "AVIF", "TIFF"})
SUBFILE_TYPE = 254
#: How files begin.
JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
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

    Grey of more than 8 bits is scaled by the range that the file declares: 65535 of 16 bits is 255.

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
            _refuse_several(image, shown)
            grey = grey_range(image, shown)
            upright = ImageOps.exif_transpose(image)
            return _flatten(upright if grey is None else eight_bits(upright, grey, shown))
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"picture {shown} is too large to be safe: {error}") from error
    except UnidentifiedImageError as error:
        raise DataError(f"picture {shown} is not a picture that can be read") from error
    except Exception as error:  # on damaged bytes Pillow raises errors of any kind
        raise DataError(f"picture {shown} cannot be read: {error}") from error


def refuse_cut(path: Path, content: bytes) -> None:
    """Raises DataError for a picture that is cut short, given the bytes of its file.

    A whole JPEG or PNG is known by its last bytes; others are decoded.
    """
    if content.startswith(JPEG) and content.rstrip(b"\0\r\n ").endswith(b"\xff\xd9"):
        return
    if content.startswith(PNG) and content.endswith(b"IEND\xaeB`\x82"):
        return
    open_rgb(path)


def _open(path: Path | IO[bytes]) -> Image.Image:
    """Reads the header alone."""
    with _HEADER, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(path)


def _refuse_several(image: Image.Image, shown: object) -> None:
    """Raises DataError for an animation, and for pages of which none is the picture.

    Smaller copies of a picture, which TIFF has as pages, are none; and the further pictures of a
    camera's JPEG (MPO) go with the first.
    """
    if image.format not in SEVERAL or not getattr(image, "is_animated", False):
        return
    count = getattr(image, "n_frames", 1)
    if image.format == "TIFF" and all(_is_copy(image, page) for page in range(1, count)):
        image.seek(0)
        return
    what = "pages" if image.format == "TIFF" else "frames"
    raise DataError(
        f"picture {shown} has {count} {what}, and it is not known which is meant: save it as a "
        "picture of its own"
    )


def _is_copy(image: Image.Image, page: int) -> bool:
    image.seek(page)
    return bool(image.tag_v2.get(SUBFILE_TYPE, 0) & 1)  # type: ignore[attr-defined]


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    white.alpha_composite(rgba)
    return white.convert("RGB")
