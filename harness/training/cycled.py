"""Cached features of which every epoch reads another view: epoch e has view e mod n."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.training.cached import MOST_IN_MEMORY, CachedFeatures, cached_features
from harness.training.rows import StoredRows

if TYPE_CHECKING:
    import torch


class CycledFeatures(CachedFeatures):
    """(N, V, F) of V views of every sample, of which one is read; see `cached_features`.

    Views stay in memory once they were read, if there is room for all of them.
    """

    def __init__(
        self,
        rows_NV: StoredRows,
        torch_device: Any = "cpu",
        transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._rows_NV, self._device, self._transform = rows_NV, torch_device, transform
        self._views: dict[int, CachedFeatures] = {}
        self._keeps = rows_NV.nbytes <= MOST_IN_MEMORY
        self._now = self._view(0)

    @property
    def h_NF(self) -> torch.Tensor:  # noqa: N802
        """The view of this epoch, in memory."""
        return self._now.h_NF

    @property
    def frames(self) -> int | None:
        return self._now.frames

    @property
    def width(self) -> int:
        return self._now.width

    def __len__(self) -> int:
        return len(self._rows_NV)

    def begin_epoch(self, epoch: int) -> None:
        self._now = self._view(epoch % self._rows_NV.shape[1])

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        return self._now.features(inputs)

    def all_views(self) -> tuple[CachedFeatures, int]:
        pooled = cached_features(self._rows_NV.pooled(), self._device, self._transform)
        return pooled, self._rows_NV.shape[1]

    def _view(self, number: int) -> CachedFeatures:
        if number in self._views:
            return self._views[number]
        view = cached_features(self._rows_NV.view(number), self._device, self._transform)
        if self._keeps:
            self._views[number] = view
        return view
