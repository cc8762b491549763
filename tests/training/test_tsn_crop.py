"""The random crop of the paper's public code, against a second computation from its formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageOps

from harness.training.augmentation import draw
from harness.training.tsn_crop import TsnCrop, draw_box


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def boxes(size: tuple[int, int], resolution: int = 224, n: int = 3000) -> list[tuple[int, ...]]:
    drawn = (draw_box(size, resolution, np.random.default_rng(s)) for s in range(n))
    return [box for box, fallback in drawn if not fallback]


def test_area_and_ratio_are_uniform_and_sides_change_places() -> None:
    """On a frame so wide and high that nearly every first try fits, up to areas of 3/4."""
    found = np.array(boxes((256, 256)))
    area = found[:, 2] * found[:, 3] / 256**2
    small = area < 0.7
    # Uniform in 0.08 to 1: the share below 0.3 of those below 0.7.
    assert (area[small] < 0.3).mean() == pytest.approx(0.22 / 0.62, abs=0.04)
    ratio = found[small, 2] / found[small, 3]
    assert ratio.min() >= 0.72
    assert ratio.max() <= 1.38
    # r and 1 / r with equal probability, r uniform in 3/4 to 4/3.
    expected = (1 - 3 / 4) / (4 / 3 - 3 / 4) / 2 + (4 / 3 - 1) / (4 / 3 - 3 / 4) / 2
    assert (ratio < 1).mean() == pytest.approx(expected, abs=0.04)


def test_a_draw_step_by_step() -> None:
    """Of one stream: area, ratio, swap, left, top, in whole pixels of a frame of short side 256."""
    for seed in range(200):
        again = np.random.default_rng(seed)
        expected = None
        for _ in range(10):
            area = 455 * 256 * again.uniform(0.08, 1.0)
            ratio = again.uniform(3 / 4, 4 / 3)
            sides = [round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))]
            w, h = reversed(sides) if again.random() < 0.5 else sides
            if w <= 455 and h <= 256:
                x, y = again.integers(0, 455 - w + 1), again.integers(0, 256 - h + 1)
                expected = (int(x), int(y), w, h)
                break
        found, fallback = draw_box((640, 360), 224, np.random.default_rng(seed))
        assert fallback is (expected is None)
        if expected is not None:
            assert found == expected


def test_boxes_lie_within_the_frame_and_reach_its_margins() -> None:
    found = np.array(boxes((340, 256)))
    assert (found[:, :2] >= 0).all()
    assert (found[:, 0] + found[:, 2]).max() == 340
    assert (found[:, 1] + found[:, 3]).max() == 256
    assert found[:, :2].min() == 0


def test_where_no_try_fits_the_short_side_is_that_of_the_picture() -> None:
    """A frame ten times as wide as high: hardly any box of it is as narrow."""
    drawn = [draw_box((2560, 256), 224, np.random.default_rng(s)) for s in range(300)]
    fallbacks = [box for box, fallback in drawn if fallback]
    assert len(fallbacks) > 30
    assert {(top, width, height) for _, top, width, height in fallbacks} == {(0, 224, 224)}
    lefts = [box[0] for box in fallbacks]
    assert 0 <= min(lefts) < 400
    assert 1800 < max(lefts) <= 2240 - 224


@pytest.mark.parametrize(
    ("size", "resolution"), [((640, 360), 224), ((200, 300), 224), ((640, 360), 336)]
)
def test_what_a_crop_does(size: tuple[int, int], resolution: int) -> None:
    """Short side 256 at 224, else c (bicubic); then the box, bilinear to c x c."""
    image, side = noise(*size), 256 if resolution == 224 else resolution
    long = int(side * max(size) / min(size))
    scaled = image.resize((long, side) if size[0] > size[1] else (side, long),
                          Image.Resampling.BICUBIC)  # fmt: skip
    expected = scaled.crop((10, 20, 130, 180)).resize((resolution,) * 2, Image.Resampling.BILINEAR)
    assert TsnCrop((10, 20, 120, 160))(image, resolution).tobytes() == expected.tobytes()
    changed = TsnCrop((10, 20, 120, 160), flip=True, grey=True)(image, resolution)
    grey = ImageOps.grayscale(ImageOps.mirror(expected)).convert("RGB")
    assert changed.tobytes() == grey.tobytes()


def test_what_the_fallback_does() -> None:
    image = noise(2560, 256)
    small = image.resize((2240, 224), Image.Resampling.BILINEAR)
    found = TsnCrop((700, 0, 224, 224), fallback=True)(image, 224)
    assert found.tobytes() == small.crop((700, 0, 924, 224)).tobytes()


def test_flips_and_grey_only_where_they_are_asked_for() -> None:
    drawn = [draw("crop_flip", (340, 256), np.random.default_rng(s), "tsn") for s in range(500)]
    assert all(isinstance(each, TsnCrop) for each in drawn)
    assert np.mean([d.flip for d in drawn]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([d.grey for d in drawn]) == pytest.approx(0.2, abs=0.06)
    plain = [draw("crop", (340, 256), np.random.default_rng(s), "tsn") for s in range(50)]
    assert not any(d.flip or d.grey for d in plain)
