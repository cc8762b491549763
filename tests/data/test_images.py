"""One picture: whole, right way up, RGB over white, and scaled to 8 bits."""

from __future__ import annotations

import io
from pathlib import Path

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


def test_whole_numbers_of_32_bits_are_scaled_or_refused(tmp_path: Path) -> None:
    for name, most in (("x", 65535), ("y", 65536)):
        values = np.array([[0, most]], dtype=np.int32)
        Image.fromarray(values).save(tmp_path / f"{name}.tif")
    assert np.asarray(open_rgb(tmp_path / "x.tif"))[0, :, 0].tolist() == [0, 255]
    with pytest.raises(DataError, match=r"y\.tif .*65536"):
        open_rgb(tmp_path / "y.tif")


def test_floating_point_pictures_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0.0, 0.5]], dtype=np.float32)).save(tmp_path / "x.tif")
    with pytest.raises(DataError, match=r"x\.tif .*floating"):
        open_rgb(tmp_path / "x.tif")


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
