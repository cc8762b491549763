"""Cached features of a frozen backbone, as a source of training: in memory, or read by batches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.training.rows import StoredRows
from harness.training.transfer import to_device

if TYPE_CHECKING:
    import torch

#: Bytes of features up to which a training has them all in memory, as float32.
MOST_IN_MEMORY = 2**29


class CachedFeatures:
    """A frozen backbone: cached features h_NF or h_NTF, in memory."""

    def __init__(self, h_NF: torch.Tensor) -> None:
        self._h_NF = h_NF

    @property
    def h_NF(self) -> torch.Tensor:  # noqa: N802
        """All features in memory."""
        return self._h_NF

    @property
    def frames(self) -> int | None:
        return self.h_NF.shape[1] if self.h_NF.ndim == 3 else None

    @property
    def width(self) -> int:
        """F."""
        return self.h_NF.shape[-1]

    def __len__(self) -> int:
        return len(self.h_NF)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def all_views(self) -> tuple[CachedFeatures, int]:
        """All that the epochs read, and how many views of every sample that is."""
        return self, 1

    def ahead(
        self, parts: Iterable[tuple[int, torch.Tensor]]
    ) -> Generator[torch.Tensor, None, None]:
        """The numbers of the samples: a step gathers its rows itself."""
        for _, part_B in parts:
            yield part_B

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rows of samples by number, (B,); in a fifth of the time of an index in brackets."""
        numbers_B = to_device(inputs % len(self.h_NF), self.h_NF.device)
        return self.h_NF.index_select(0, numbers_B)

    def end_step(self) -> None:
        """Nothing is counted."""

    def statistics(self) -> list[torch.Tensor]:
        return []

    def pretrained(self) -> list[torch.Tensor]:
        return []

    def new(self) -> list[torch.Tensor]:
        return []


class StoredFeatures(CachedFeatures):
    """Cached features that are many: they stay where they are, and a batch gathers its rows.

    What `transform` makes of h_BF or h_BTF is computed for every batch, on the CPU.
    """

    def __init__(
        self,
        rows: StoredRows,
        torch_device: Any = "cpu",
        transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._rows, self._device, self._transform = rows, torch_device, transform
        self._shape = self._moved(rows.gather(np.arange(min(1, len(rows))))).shape[1:]

    @property
    def h_NF(self) -> torch.Tensor:  # noqa: N802
        """All features in memory, which a caller that can reads by batches."""
        import torch

        return torch.cat([self._moved(h_BF) for h_BF in self._rows.blocks()])

    @property
    def frames(self) -> int | None:
        return self._shape[0] if len(self._shape) == 2 else None

    @property
    def width(self) -> int:
        return self._shape[-1]

    def __len__(self) -> int:
        return len(self._rows)

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        return self._moved(self._rows.gather(inputs.cpu().numpy() % len(self._rows)))

    def _moved(self, h_BF: torch.Tensor) -> torch.Tensor:
        z_BF = h_BF if self._transform is None else self._transform(h_BF)
        return z_BF.to(self._device)


def cached_features(
    rows: StoredRows,
    torch_device: Any = "cpu",
    transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> CachedFeatures:
    """The source of these rows: in memory up to MOST_IN_MEMORY bytes, else gathered by batches."""
    if rows.nbytes > MOST_IN_MEMORY:
        return StoredFeatures(rows, torch_device, transform)
    h_NF = rows.gather()
    return CachedFeatures((h_NF if transform is None else transform(h_NF)).to(torch_device))
