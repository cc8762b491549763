"""A data set of grey clips and an encoder that sees their grey level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from harness.encoders._pixels import Undivided


class Grey:
    """Clips of 20 frames; frame n of clip `k` is all of the grey level 10 k + n."""

    kind = "clips"
    position = "centre"
    manifest = "grey"

    def __init__(self) -> None:
        self.reads: list[tuple[str, tuple[int, ...]]] = []

    def length(self, item: str) -> int:
        return 20

    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        self.reads.append((item, tuple(indices)))
        return [picture(10 * int(item) + n) for n in indices]

    def image(self, item: str) -> Image.Image:
        self.reads.append((item, ()))
        return picture(10 * int(item))

    def fingerprint(self, item: str) -> str:
        return f"grey {item}"


class GreyPictures(Grey):
    """Pictures; item `k` is all of the grey level 10 k."""

    kind = "pictures"


class Mean(Undivided):
    """An encoder whose one feature is the mean of the picture, times a parameter."""

    def __init__(self) -> None:
        self.module = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.ones_(self.module.weight)

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        grey = np.asarray(image.resize((resolution, resolution)), dtype=np.float32)
        return torch.from_numpy(grey).permute(2, 0, 1)

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        return self.preprocess(image, image.width)

    def features(self, x_BCHW: torch.Tensor) -> Any:
        return self.module(x_BCHW.mean(dim=(1, 2, 3))[:, None])


def picture(grey: int) -> Image.Image:
    return Image.new("RGB", (6, 4), (grey,) * 3)
