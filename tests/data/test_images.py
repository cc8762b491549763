"""One picture: whole, right way up, RGB over white, and scaled to 8 bits."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import DataError
from harness.data import _images
from harness.data._images import open_rgb


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 12), (0, 0, 0, 0)).save(tmp_path / "x.png")
    image = open_rgb(tmp_path / "x.png")
    assert image.mode == "RGB"
    assert image.getpixel((3, 3)) == (255, 255, 255)


def test_a_camera_turned_picture_is_turned_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    Image.new("RGB", (20, 12)).save(tmp_path / "x.jpg", exif=exif)
    assert open_rgb(tmp_path / "x.jpg").size == (12, 20)


def test_an_open_file_has_a_name_in_errors() -> None:
    with pytest.raises(DataError, match="picture row 7 is not a picture that can be read"):
        open_rgb(io.BytesIO(b"no picture"), "row 7")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 257, 25700, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"x.{suffix}")
    scaled = np.asarray(open_rgb(tmp_path / f"x.{suffix}"))
    assert scaled.shape == (1, 4, 3)
    assert scaled[0, :, 1].tolist() == [0, 1, 100, 255]


def _palette() -> Image.Image:
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    return image


def _grey(values: list[int], kind: type[np.generic]) -> Image.Image:
    return Image.fromarray(np.array([values]).astype(kind))


WHITE, RED, GREEN = (255, 255, 255), (255, 0, 0), (0, 255, 0)
#: name -> (picture, options of save, its first row)
MODES: dict[str, tuple[Image.Image, dict[str, Any], list[tuple[int, ...]]]] = {
    "palette.gif": (_palette(), {"transparency": 0}, [WHITE, RED, GREEN]),
    "palette.png": (_palette(), {"transparency": 0}, [WHITE, RED, GREEN]),
    "alphas.png": (
        _palette(), {"transparency": bytes([0, 128, 255])}, [WHITE, (255, 127, 127), GREEN],
    ),
    "colour_key.png": (
        _palette().convert("RGB"), {"transparency": (255, 0, 0)}, [(0, 0, 0), WHITE, GREEN],
    ),
    "grey_key.png": (
        _grey([0, 100, 255], np.uint8), {"transparency": 0}, [WHITE, (100,) * 3, WHITE],
    ),
    "grey_key_16.png": (
        _grey([0, 25700, 65535], np.uint16), {"transparency": 0}, [WHITE, (100,) * 3, WHITE],
    ),
    "one_bit.png": (_grey([0, 255], np.uint8).convert("1"), {}, [(0, 0, 0), WHITE]),
    "cmyk.tif": (Image.new("CMYK", (1, 1), (0, 255, 255, 0)), {}, [RED]),
    "cmyk.jpg": (Image.new("CMYK", (1, 1), (0, 255, 255, 0)), {}, [(254, 0, 0)]),
    "lab.tif": (Image.new("LAB", (1, 1), (128, 128, 128)), {}, [(119, 119, 119)]),
    "ycbcr.jpg": (Image.new("YCbCr", (1, 1), (76, 85, 255)), {}, [(254, 0, 0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", MODES)
def test_the_modes_of_pillow(tmp_path: Path, name: str) -> None:
    image, options, right = MODES[name]
    image.save(tmp_path / name, **options)
    row = np.asarray(open_rgb(tmp_path / name))[0, : len(right)].tolist()
    assert row == [pytest.approx(colour, abs=1) for colour in right]


def _noise(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize(
    ("name", "what"), [("x.gif", "frames"), ("x.webp", "frames"), ("x.png", "frames"),
                       ("x.tif", "pages")]
)  # fmt: skip
def test_of_several_pictures_none_is_taken_for_the_one(
    tmp_path: Path, name: str, what: str
) -> None:
    others = [_noise(1), _noise(2)]
    _noise(0).save(tmp_path / name, save_all=True, append_images=others)
    with pytest.raises(
        DataError, match=rf"x\.\w+ has 3 {what}, and it is not known which is meant"
    ):
        open_rgb(tmp_path / name)
    _noise(0).save(tmp_path / name, save_all=True, **({"lossless": True} if "webp" in name else {}))
    open_rgb(tmp_path / name)


def test_pictures_that_go_with_another(tmp_path: Path) -> None:
    """Those of a camera's JPEG after the first, and smaller copies in a TIFF."""
    _noise(0).save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=[_noise(1)])
    assert open_rgb(tmp_path / "x.jpg").size == (9, 9)
    copy = _noise(0).resize((3, 3))
    copy.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    _noise(0).save(tmp_path / "x.tif", save_all=True, append_images=[copy])
    assert open_rgb(tmp_path / "x.tif").tobytes() == _noise(0).tobytes()


def test_a_picture_that_is_too_large_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (20, 12)).save(tmp_path / "x.png")
    monkeypatch.setattr(_images, "MAX_PIXELS", 239)
    with pytest.raises(DataError, match=r"x\.png is 20 x 12; the limit is 239 pixels"):
        open_rgb(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: .*No such file"),
        (b"", "is not a picture"),
        ("half", "cannot be read"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes | str | None, said: str) -> None:
    path = tmp_path / "x.png"
    Image.effect_noise((40, 40), 80).save(path)
    if content == "half":
        path.write_bytes(path.read_bytes()[:800])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.unlink()
    with pytest.raises(DataError, match=rf"picture .*x\.png {said}"):
        open_rgb(path)
