"""Preprocessed pictures in memory: a run of many epochs over few pictures reads each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.types import Dataset

if TYPE_CHECKING:
    import torch

#: What is kept at most; pictures beyond it are read again at every use.
KEPT_BYTES = 2 * 1024**3


class Pictures:
    """Items of one dataset to x_BCHW of one encoder at one resolution. Threads may share it."""

    def __init__(self, dataset: Dataset, encoder: Any, resolution: int) -> None:
        self._dataset, self._encoder, self._resolution = dataset, encoder, resolution
        self._kept: dict[str, torch.Tensor] = {}
        self._bytes = 0

    def __call__(self, items: Sequence[str]) -> torch.Tensor:
        """Raises DataError for a picture that cannot be read."""
        import torch

        return torch.stack([self._one(item) for item in items])

    def _one(self, item: str) -> torch.Tensor:
        x_CHW = self._kept.get(item)
        if x_CHW is None:
            x_CHW = self._encoder.preprocess(self._dataset.image(item), self._resolution)
            size = x_CHW.numel() * x_CHW.element_size()
            if self._bytes + size <= KEPT_BYTES:
                self._kept[item] = x_CHW
                self._bytes += size
        return x_CHW
