"""Augmentations: what they draw, and what they do to a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from harness.training.augmentation import Augmentation, draw


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_area_and_the_ratio_are_those_of_the_recipe() -> None:
    boxes = np.array([draw("crop", (100, 80), stream(s)).box for s in range(400)])
    area = boxes[:, 2] * boxes[:, 3]
    ratio = boxes[:, 2] * 100 / (boxes[:, 3] * 80)
    assert 0.08 <= area.min() < 0.12
    assert 0.9 < area.max() <= 1
    assert 3 / 4 <= ratio[area < 1].min() < 0.8
    assert 1.25 < ratio[area < 1].max() <= 4 / 3 + 1e-9
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 1 + 1e-9).all()


def test_flips_and_grey_only_where_they_are_asked_for() -> None:
    drawn = [draw("crop_flip", (64, 64), stream(s)) for s in range(500)]
    assert np.mean([d.flip for d in drawn]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([d.grey for d in drawn]) == pytest.approx(0.2, abs=0.06)
    assert not any(d.flip or d.grey for d in (draw("crop", (64, 64), stream(s)) for s in range(50)))


def test_what_a_change_does() -> None:
    image = Image.new("RGB", (40, 20), "white")
    image.paste((255, 0, 0), (20, 0, 40, 20))
    right = Augmentation((0.5, 0.0, 0.5, 1.0))(image, 8)
    assert right.size == (8, 8)
    assert np.asarray(right)[4, 4].tolist() == [255, 0, 0]
    mirrored = np.asarray(Augmentation((0.0, 0.0, 1.0, 1.0), flip=True)(image, 8))
    assert mirrored[4, 0].tolist() == [255, 0, 0]
    assert mirrored[4, 7].tolist() == [255, 255, 255]
    grey = np.asarray(Augmentation((0.0, 0.0, 1.0, 1.0), grey=True)(image, 8))
    assert (grey == grey[..., :1]).all()


def test_equal_streams_draw_alike() -> None:
    assert draw("crop_flip", (50, 50), stream(3)) == draw("crop_flip", (50, 50), stream(3))
    assert draw("crop_flip", (50, 50), stream(3)) != draw("crop_flip", (50, 50), stream(4))
