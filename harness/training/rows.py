"""Rows of features by number, in tables that need not be in memory: gathered when they are used.

Letters of shapes: N samples, V views, T frames, F width, M rows in one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from harness.core.samples import IntArray

    Array = np.ndarray[Any, np.dtype[Any]]

#: Rows that are gathered, or transformed, together where not all are at once.
TOGETHER = 16384


class StoredRows:
    """(N, F), or (N, [V,] [T,] F): rows `number_N` of several tables, counted through them all.

    The tables are arrays (n, F), in memory or mapped into it. They are never copied as a whole.
    """

    def __init__(self, tables: Sequence[Array], number_N: IntArray, width: int) -> None:
        self._tables, self._number_N, self._width = tables, number_N, width
        self._ends = np.cumsum([len(table) for table in tables], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._number_N)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what `gather` gives."""
        return (*self._number_N.shape, self._width)

    @property
    def nbytes(self) -> int:
        """What all of them need in memory, as float32."""
        return self._number_N.size * self._width * 4

    def of(self, index: IntArray) -> StoredRows:
        """These samples, in this order; nothing is read."""
        return StoredRows(self._tables, self._number_N[index], self._width)

    def shaped(self, *dims: int) -> StoredRows:
        """(M, F) as (N, [V,] [T,] F); nothing is read."""
        return StoredRows(self._tables, self._number_N.reshape(dims), self._width)

    def view(self, number: int) -> StoredRows:
        """Of (N, V, F) one view of every sample, (N, F); nothing is read."""
        return StoredRows(self._tables, self._number_N[:, number], self._width)

    def pooled(self) -> StoredRows:
        """(N, V, F) as (V N, F), the first view of every sample before the second ones."""
        return StoredRows(self._tables, self._number_N.T.ravel(), self._width)

    def mean_over_views(self) -> StoredRows:
        """(N, V, F) as (N, F) in memory; of what is read, so many views are together there."""
        n, views = self._number_N.shape
        mean_NF = np.empty((n, self._width), np.float32)
        step = max(1, TOGETHER // views)
        for start in range(0, n, step):
            part = np.arange(start, min(start + step, n))
            mean_NF[part] = self.gather(part).mean(dim=1).numpy()
        return StoredRows([mean_NF], np.arange(n), self._width)

    def gather(self, index: IntArray | None = None) -> torch.Tensor:
        """The rows of these samples (None: of all) as float32, in memory."""
        import torch

        number_N = self._number_N if index is None else self._number_N[index]
        flat_M = number_N.ravel()
        h_MF = torch.empty(len(flat_M), self._width)
        for start in range(0, len(flat_M), TOGETHER):
            part = flat_M[start : start + TOGETHER]
            h_MF[start : start + len(part)] = torch.from_numpy(self._read(part))
        return h_MF.reshape(*number_N.shape, self._width)

    def blocks(self) -> Iterator[torch.Tensor]:
        """All samples in order, TOGETHER at a time."""
        for start in range(0, len(self), TOGETHER):
            yield self.gather(np.arange(start, min(start + TOGETHER, len(self))))

    def _read(self, number_M: IntArray) -> Array:
        """(M, F), in the order of each table, as memory and disks read fastest."""
        if len(self._tables) == 1:
            return _native(self._tables[0].take(number_M, axis=0))
        order_M = np.argsort(number_M, kind="stable")
        sorted_M = number_M[order_M]
        kinds = {table.dtype for table in self._tables}
        rows_MF = np.empty((len(number_M), self._width), kinds.pop() if len(kinds) == 1 else "f4")
        begin, bounds = 0, np.searchsorted(sorted_M, self._ends)
        for table, first, end in zip(self._tables, [0, *self._ends[:-1]], bounds, strict=True):
            if end > begin:
                rows_MF[order_M[begin:end]] = table.take(sorted_M[begin:end] - first, axis=0)
            begin = end
        return _native(rows_MF)


def _native(rows_MF: Array) -> Array:
    """As torch takes it: half precision as it is, all else as float32."""
    return rows_MF if rows_MF.dtype == np.float16 else rows_MF.astype(np.float32, copy=False)
