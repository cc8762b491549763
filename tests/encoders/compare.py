"""An encoder's embeddings against those of the library that its weights come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness.core.protocols.encoder import ImageEncoder
from harness.core.protocols.plugin import NoOptions

if TYPE_CHECKING:
    from PIL import Image

NONE = NoOptions()
TEXTS = ("a picture of a red car", "blue boat")


def assert_same(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert expected.std() > 0.01  # or everything would be the same
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def prepared(encoder: ImageEncoder, pictures: list[Image.Image], resolution: int) -> torch.Tensor:
    """x_BCHW."""
    return torch.stack([encoder.preprocess(picture, resolution) for picture in pictures])


def embedded(encoder: ImageEncoder, x_BCHW: torch.Tensor) -> torch.Tensor:
    """z_BD: features and projection."""
    return torch.nn.functional.linear(encoder.features(x_BCHW), *encoder.projection())
