"""Preprocessed pictures in memory, so that a training of many epochs reads each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from harness.core.protocols.dataset import Clips, Dataset
from harness.sampling.views import Look, cropped
from harness.training.augmentation import Augmentation

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: What is kept at most; pictures beyond it are read again at every use.
KEPT_BYTES = 2 * 1024**3


def read_pictures(dataset: Dataset, looks: Sequence[Look]) -> list[Image.Image]:
    """The pictures that are looked at, in order; frames of one video are read together.

    Raises DataError for one that cannot be read.
    """
    frames: dict[str, dict[int, Image.Image]] = {}
    wanted: dict[str, list[int]] = {}
    for look in looks:
        if look.frame is not None:
            wanted.setdefault(look.item, []).append(look.frame)
    for item, indices in wanted.items():
        distinct = sorted(set(indices))
        found = cast(Clips, dataset).frames(item, distinct)
        frames[item] = dict(zip(distinct, found, strict=True))
    out = []
    for look in looks:
        whole = dataset.image(look.item) if look.frame is None else frames[look.item][look.frame]
        out.append(cropped(whole, look.crop))
    return out


class Pictures:
    """Looks of one dataset to x_NCHW of one encoder at one resolution. Threads may share it."""

    def __init__(self, dataset: Dataset, encoder: Any, resolution: int) -> None:
        self.dataset = dataset
        self._encoder, self._resolution = encoder, resolution
        self._kept: dict[Look, torch.Tensor] = {}
        self._bytes = 0

    def __call__(self, looks: Sequence[Look]) -> torch.Tensor:
        """Raises DataError for a picture that cannot be read."""
        import torch

        missing = [look for look in dict.fromkeys(looks) if look not in self._kept]
        images = read_pictures(self.dataset, missing)
        fresh = {
            look: self._encoder.preprocess(image, self._resolution)
            for look, image in zip(missing, images, strict=True)
        }
        found = torch.stack([fresh[k] if k in fresh else self._kept[k] for k in looks])
        for look, x_CHW in fresh.items():
            self._keep(look, x_CHW)
        return found

    def augmented(self, looks: Sequence[Look], change: Augmentation) -> torch.Tensor:
        """The same change on every look of an item; what comes of it is not kept."""
        import torch

        images = [change(image, self._resolution) for image in read_pictures(self.dataset, looks)]
        return torch.stack([self._encoder.preprocess(i, self._resolution) for i in images])

    def _keep(self, look: Look, x_CHW: torch.Tensor) -> None:
        size = x_CHW.numel() * x_CHW.element_size()
        if self._bytes + size <= KEPT_BYTES:
            self._kept[look] = x_CHW
            self._bytes += size
