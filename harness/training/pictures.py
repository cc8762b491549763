"""Preprocessed images in memory, so that a training of many epochs reads each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from harness.core.protocols.dataset import Clips, Dataset
from harness.core.protocols.encoder import ImageEncoder
from harness.sampling.views import FrameView, cropped
from harness.training.augmentation import Augmentation
from harness.training.tsn_crop import TsnCrop

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: Most bytes that are kept; further images are read at every use.
KEPT_BYTES = 2 * 1024**3


def read_pictures(
    dataset: Dataset, chosen: Sequence[FrameView], resolution: int
) -> list[Image.Image]:
    """The images of these views, in order and cropped.

    Raises DataError for an image that cannot be read.
    """
    whole = whole_pictures(dataset, chosen)
    return [cropped(image, view, resolution) for image, view in zip(whole, chosen, strict=True)]


def whole_pictures(dataset: Dataset, chosen: Sequence[FrameView]) -> list[Image.Image]:
    """Like `read_pictures`, without cropping; frames of one video are read together, and a picture
    of several views once.

    Raises DataError for an image that cannot be read.
    """
    frames: dict[str, dict[int, Image.Image]] = {}
    wanted: dict[str, list[int]] = {}
    for view in chosen:
        if view.frame is not None:
            wanted.setdefault(view.item, []).append(view.frame)
    for item, indices in wanted.items():
        distinct = sorted(set(indices))
        images = cast(Clips, dataset).frames(item, distinct)
        frames[item] = dict(zip(distinct, images, strict=True))
    pictures: dict[str, Image.Image] = {}
    out = []
    for view in chosen:
        if view.frame is None and view.item not in pictures:
            pictures[view.item] = dataset.image(view.item)
        out.append(pictures[view.item] if view.frame is None else frames[view.item][view.frame])
    return out


def prepared(
    encoder: ImageEncoder, image: Image.Image, view: FrameView, resolution: int
) -> torch.Tensor:
    """x_CHW of the image of a view: what was cut to the encoder's size already is not cut again."""
    if view.geometry is not None:
        return encoder.as_tensor(image)
    return encoder.preprocess(image, resolution)


class Pictures:
    """Views as x_NCHW for one encoder at one resolution, each read once. Threads may share it."""

    def __init__(self, dataset: Dataset, encoder: Any, resolution: int) -> None:
        self.dataset, self.resolution = dataset, resolution
        self._encoder = encoder
        self._kept: dict[FrameView, torch.Tensor] = {}
        self._bytes = 0

    def __call__(self, chosen: Sequence[FrameView]) -> torch.Tensor:
        """Raises DataError for an image that cannot be read."""
        import torch

        missing = [view for view in dict.fromkeys(chosen) if view not in self._kept]
        images = read_pictures(self.dataset, missing, self.resolution)
        fresh = {
            view: prepared(self._encoder, image, view, self.resolution)
            for view, image in zip(missing, images, strict=True)
        }
        x_NCHW = torch.stack([fresh[k] if k in fresh else self._kept[k] for k in chosen])
        for view, x_CHW in fresh.items():
            self._keep(view, x_CHW)
        return x_NCHW

    def augmented(
        self, chosen: Sequence[FrameView], change: Augmentation | TsnCrop
    ) -> torch.Tensor:
        """The same augmentation of every view of an item; the result is not kept."""
        import torch

        whole = read_pictures(self.dataset, chosen, self.resolution)
        images = [change(image, self.resolution) for image in whole]
        return torch.stack([self._encoder.as_tensor(image) for image in images])

    def _keep(self, view: FrameView, x_CHW: torch.Tensor) -> None:
        size = x_CHW.numel() * x_CHW.element_size()
        if self._bytes + size <= KEPT_BYTES:
            self._kept[view] = x_CHW
            self._bytes += size
