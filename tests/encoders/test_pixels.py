"""Pixels and normalisation apart give, number for number, what the library's transform gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from harness.encoders._pixels import Pixels


def picture(size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))


def open_clip_transform(mode: str) -> Any:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    return image_transform_v2(PreprocessCfg(size=32, resize_mode=mode), is_train=False)


def timm_transform(**changes: Any) -> Any:
    from timm.data import create_transform

    return create_transform(input_size=(3, 32, 32), is_training=False, **changes)


TRANSFORMS = {
    "open_clip": lambda: open_clip_transform("shortest"),
    "squash": lambda: open_clip_transform("squash"),
    "longest": lambda: open_clip_transform("longest"),
    "timm": lambda: timm_transform(crop_pct=0.9),
    "timm border": lambda: timm_transform(crop_pct=1.0, crop_mode="border"),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("size", [(40, 57), (32, 32), (20, 31)])
def test_both_parts_are_the_whole(name: str, size: tuple[int, int]) -> None:
    transform = TRANSFORMS[name]()
    divided, image = Pixels(transform), picture(size)
    pixels = divided.pixels(image)
    assert (pixels.dtype, pixels.shape, pixels.is_contiguous()) == (torch.uint8, (3, 32, 32), True)
    expected = torch.stack([transform(image)] * 2)
    assert torch.equal(divided.normalise(torch.stack([pixels] * 2)), expected)
    assert torch.equal(divided.whole(image), expected[0])


def test_another_transform_is_not_divided() -> None:
    transform = transforms.Compose([transforms.Resize((8, 8)), transforms.ToTensor()])
    divided = Pixels(transform)
    pixels = divided.pixels(picture((9, 9)))
    assert pixels.dtype == torch.float32
    assert torch.equal(divided.normalise(pixels[None])[0], transform(picture((9, 9))))
