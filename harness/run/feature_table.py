"""Features of the items of a run, found by item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.core.protocols.dataset import FeatureItems
from harness.training.rows import StoredRows

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FeatureTable:
    """Features of the items that a run needs, by item: (N, F), with V after N where there are
    several views, and T before F where there are frames.
    """

    row: dict[str, int]
    rows: StoredRows
    pixels: Mapping[str, str] = field(default_factory=dict)  # item -> hash, where it is known

    def of(self, items: Iterable[str]) -> torch.Tensor:
        """Rows of these items, in their order, in memory."""
        return self.rows_of(items).gather()

    def rows_of(self, items: Iterable[str]) -> StoredRows:
        """Rows of these items, in their order, that are gathered when they are used."""
        numbers = np.fromiter((self.row[item] for item in items), dtype=np.int64)
        return self.rows.of(numbers)


def stored_rows(dataset: FeatureItems, items: Sequence[str]) -> StoredRows:
    """Rows of a data set of features; they are copied only if the data set copies them."""
    stored = dataset.stored(items)
    if stored is None:
        h_NF = dataset.features(items)
        stored = h_NF, np.arange(len(h_NF))
    table_NF, number_N = stored
    return StoredRows([table_NF], number_N, table_NF.shape[1])
