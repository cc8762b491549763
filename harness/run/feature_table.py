"""Features of the items of a run, found by item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.core.hashing import digest
from harness.core.protocols.dataset import FeatureItems
from harness.sampling.views import Views
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
        numbers = np.fromiter(map(self.row.__getitem__, items), dtype=np.int64)
        return self.rows.of(numbers)


@dataclass(frozen=True)
class StoredTable(FeatureTable):
    """Features of a data set that finds the rows of items itself: nothing is kept by item."""

    dataset: FeatureItems | None = None

    def rows_of(self, items: Iterable[str]) -> StoredRows:
        """As of a `FeatureTable`, of all items of the data set."""
        items = items if isinstance(items, Sequence) else tuple(items)
        stored = self.dataset.stored(items) if self.dataset else None
        if stored is None:
            raise ValueError("the data set has no table of its features")
        table_RF, row_N = stored
        return StoredRows([table_RF], row_N, table_RF.shape[1])


def table_of(dataset: FeatureItems, items: Iterable[str]) -> FeatureTable:
    """These items of a data set of features; they are copied only if the data set copies them."""
    stored = dataset.stored(())
    if stored is not None:
        table_RF, none_0 = stored
        return StoredTable({}, StoredRows([table_RF], none_0, table_RF.shape[1]), dataset=dataset)
    names = list(dict.fromkeys(items))
    h_NF = dataset.features(names)
    rows = StoredRows([h_NF], np.arange(len(h_NF)), h_NF.shape[1])
    return FeatureTable({item: i for i, item in enumerate(names)}, rows)


def pixels_of(
    view: Views, frames: int | None, items: Sequence[str], hashes: Sequence[str | None]
) -> dict[str, str]:
    """Item -> hash of its pixels, given those of all its views; of a clip, of its frames together.

    With several clips an item these are all of its frames: equal to those of another item that is
    read in as many clips, and to no other.
    """
    step = len(hashes) // max(1, len(items))
    each = step if view.clips > 1 else frames or 1
    known = {}
    for number, item in enumerate(items):
        of_item = [h for h in hashes[number * step : number * step + each] if h is not None]
        if len(of_item) == each:
            known[item] = of_item[0] if frames is None else digest(of_item, 32)
    return known
