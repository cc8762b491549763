"""Crops of the paper's public code, by its formulas."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from harness.sampling.crops import (
    at_short_side,
    corner,
    full_resolution,
    resized_side,
    size_at,
    square,
)


@pytest.mark.parametrize(
    ("resolution", "side"), [(224, 256), (336, 336), (288, 288), (112, 112), (225, 225)]
)
def test_the_short_side_is_256_at_224_and_else_that_of_the_picture(
    resolution: int, side: int
) -> None:
    assert resized_side(resolution) == side
    if resolution in (224, 336):
        assert resolution / side == (0.875 if resolution == 224 else 1)


@pytest.mark.parametrize(
    "size", [(340, 256), (256, 340), (256, 256), (1920, 1080), (455, 256), (339, 256), (229, 301)]
)
def test_three_crops(size: tuple[int, int]) -> None:
    """With w = (W - c) // 4 and h = (H - c) // 4: (0, 2h), (4w, 2h), (2w, 2h)."""
    w, h = (size[0] - 224) // 4, (size[1] - 224) // 4
    found = [corner(size, 224, n, 3) for n in range(3)]
    assert found == [(0, 2 * h), (4 * w, 2 * h), (2 * w, 2 * h)]
    assert all(0 <= x <= size[0] - 224 and 0 <= y <= size[1] - 224 for x, y in found)
    if size[0] - 224 < 4:
        assert len(set(found)) == 1


def test_values_of_three_crops() -> None:
    assert [corner((455, 256), 224, n, 3) for n in range(3)] == [(0, 16), (228, 16), (114, 16)]
    assert [corner((597, 336), 336, n, 3) for n in range(3)] == [(0, 0), (260, 0), (130, 0)]


def test_on_an_upright_frame_the_three_are_one() -> None:
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 255, (600, 336, 3), np.uint8))
    crops = [full_resolution(upright, n, 3, 336).tobytes() for n in range(3)]
    assert crops[0] == crops[1] == crops[2]


@pytest.mark.parametrize(("size", "box"), [((455, 256), (116, 16)), ((256, 256), (16, 16)),
                                           ((256, 341), (16, 58))])  # fmt: skip
def test_one_crop_is_the_centre(size: tuple[int, int], box: tuple[int, int]) -> None:
    assert corner(size, 224, 0, 1) == box


def test_sizes_are_those_of_torchvision() -> None:
    from torchvision.transforms import CenterCrop, InterpolationMode, Resize

    rng = np.random.default_rng(0)
    for width, height in ((640, 360), (320, 240), (240, 321), (427, 240), (256, 300), (854, 480)):
        image = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
        resized = Resize(256, InterpolationMode.BICUBIC)(image)
        assert size_at(image.size, 256) == resized.size
        assert at_short_side(image, 256).tobytes() == resized.tobytes()
        centre = CenterCrop(224)(resized)
        assert full_resolution(image, 0, 1, 224).tobytes() == centre.tobytes()
    assert at_short_side(resized, 256) is resized


def test_squares() -> None:
    image = Image.new("L", (90, 30))
    for x in range(90):
        image.paste(x, (x, 0, x + 1, 30))
    assert [square(image, n, 3).getpixel((0, 0)) for n in range(3)] == [0, 30, 60]
