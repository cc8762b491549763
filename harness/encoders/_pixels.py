"""A library's transform of a picture in two parts: up to pixels of its size, and normalisation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: What makes a tensor of 0 to 1 of a picture, in torchvision, timm and open_clip.
TO_TENSOR = ("ToTensor", "MaybeToTensor")


class Pixels:
    """A transform whose last steps are ToTensor and Normalize, applied in two parts; `pixels` of
    another transform are all that it makes.
    """

    def __init__(self, transform: Any) -> None:
        steps = list(transform.transforms)
        names = [type(step).__name__ for step in steps[-2:]]
        self._transform = transform
        self._divided = len(names) == 2 and names[0] in TO_TENSOR and names[1] == "Normalize"
        self._geometry: list[Any] = []
        self._mean_std: list[torch.Tensor] = []
        if self._divided:
            self._geometry = steps[:-2]
            self._mean_std = [_column(steps[-1].mean), _column(steps[-1].std)]

    def whole(self, image: Image.Image) -> torch.Tensor:
        """(3, R, R): the library's own transform."""
        x_CHW: torch.Tensor = self._transform(image)
        return x_CHW

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """(3, R, R): uint8 before ToTensor and Normalize, else the whole transform."""
        from torchvision.transforms.functional import pil_to_tensor

        if not self._divided:
            return self.whole(image)
        for step in self._geometry:
            image = step(image)
        # As ToTensor lays it out: another layout would be other last bits of a convolution.
        x_CHW: torch.Tensor = pil_to_tensor(image).contiguous()
        return x_CHW

    def normalise(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """ToTensor and Normalize of uint8 pixels, number for number; others stay."""
        import torch

        if x_BCHW.dtype != torch.uint8:
            return x_BCHW
        self._mean_std = [t.to(x_BCHW.device) for t in self._mean_std]
        mean, std = self._mean_std
        return x_BCHW.to(torch.float32).div_(255).sub_(mean).div_(std)


class Undivided(ABC):
    """The pixels of an encoder whose preparation of a picture is not divided: all that it makes."""

    @abstractmethod
    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, R, R)."""

    @abstractmethod
    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R)."""

    def pixels(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """What `preprocess` gives."""
        return self.preprocess(image, resolution)

    def pixels_as_cut(self, image: Image.Image) -> torch.Tensor:
        """What `as_tensor` gives."""
        return self.as_tensor(image)

    def normalise(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Nothing is left to do."""
        return x_BCHW


def _column(values: Any) -> torch.Tensor:
    """Mean or std of the channels, (3, 1, 1)."""
    import torch

    return torch.as_tensor(values, dtype=torch.float32).view(-1, 1, 1)
