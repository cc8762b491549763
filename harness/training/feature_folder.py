"""The folder of cached features of one encoder: its blocks, and shards of earlier versions.

Writers only add blocks, under names that are hashes of what they hold, so several at once do not
disturb each other. Small blocks are merged when there are many; one process at a time does it, and
a reader that misses a file which was merged meanwhile looks again. Large blocks are mapped into
memory, and are never removed by a reader or writer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.training.blocks import (
    IDS,
    INDEX,
    NUMBER,
    PIXELS,
    ROWS,
    Block,
    block_of,
    both,
    ids_of,
    in_order,
    index_name,
    open_block,
    pixel_texts,
    write_block,
)
from harness.training.rows import StoredRows
from harness.training.shards import IDS_FILE, read_shard

if TYPE_CHECKING:
    from harness.core.samples import IntArray
    from harness.training.blocks import Words

    Array = np.ndarray[Any, np.dtype[Any]]

#: Bytes of the rows of a block that small ones are merged into. From half of it a block is large.
BLOCK_BYTES = 2**28
#: Bytes before the rows in a file of numpy.
NPY_HEADER = 128
#: Small files from which they are merged whatever they hold.
MOST_FILES = 256
#: What reading a damaged file raises.
DAMAGED = (OSError, ValueError, TypeError, EOFError)


class Search:
    """Rows that are wanted, and where they were found. M are wanted, U of them are different."""

    def __init__(self, ids_2M: Words) -> None:
        order_M = np.lexsort((ids_2M[1], ids_2M[0]))
        sorted_2M = ids_2M[:, order_M]
        is_new_M = np.ones(len(order_M), dtype=bool)
        is_new_M[1:] = (sorted_2M[:, 1:] != sorted_2M[:, :-1]).any(axis=0)
        self._first_U = order_M[is_new_M]  # the sort is stable: where each comes first
        self._unique_M = np.empty(len(order_M), dtype=np.int64)
        self._unique_M[order_M] = np.cumsum(is_new_M) - 1
        self._number_U = np.full(len(self._first_U), -1, dtype=np.int64)
        self._pixels_2U = np.zeros((2, len(self._first_U)), dtype="<u8")
        self._tables: list[Array] = []
        self._rows = 0  # of the tables
        # What is searched for: shortened from time to time.
        self._left_U, self._ids_2U = np.arange(len(self._first_U)), sorted_2M[:, is_new_M]

    def missing(self) -> IntArray:
        """Positions of what was not found, in order; of equal ids the first."""
        return np.sort(self._first_U[self._number_U < 0])

    def add(self, block: Block, *, mapped: bool = False) -> None:
        """Take what this block has. Rows that are not mapped are copied: its files may go."""
        at, wanted = both(block.index_6N[IDS], self._ids_2U)
        unique = self._left_U[wanted]
        is_new = self._number_U[unique] < 0
        at, unique = at[is_new], unique[is_new]
        whole = block.whole(at)
        at, unique = at[whole], unique[whole]
        if not len(at) or self._is_of_other_width(block):
            return
        number = block.index_6N[NUMBER][at].astype(np.int64)
        table = block.values_NF
        if not mapped:
            table, number = table[number], np.arange(len(number))
        self._tables.append(table)
        self._number_U[unique] = self._rows + number
        self._pixels_2U[:, unique] = block.index_6N[PIXELS][:, at]
        self._rows += len(table)
        self._shorten()

    def look_in(self, folder: Path) -> None:
        """Find in a folder what is still missing. What is damaged is left out."""
        for _ in range(3):  # what another process has merged meanwhile is in a new file
            vanished = False
            for file in list_files(folder):
                if (self._number_U >= 0).all():
                    return
                try:
                    self.add(file.open(), mapped=file.is_large)
                except FileNotFoundError:
                    vanished = True
                except DAMAGED:
                    continue
            if not vanished:
                return

    def rows(self, width: int) -> StoredRows:
        """All that is wanted, in its order; of this width if that is nothing. Call it when nothing
        is missing.
        """
        width = self._tables[0].shape[1] if self._tables else width
        return StoredRows(self._tables, self._number_U[self._unique_M], width)

    def pixels(self) -> list[str | None]:
        """The hashes of the pixels of all that is wanted."""
        of_each = pixel_texts(self._pixels_2U)
        return [of_each[n] for n in self._unique_M.tolist()]

    def _is_of_other_width(self, block: Block) -> bool:
        return bool(self._tables) and self._tables[0].shape[1] != block.values_NF.shape[1]

    def _shorten(self) -> None:
        left = self._number_U[self._left_U] < 0
        if 8 * np.count_nonzero(left) < 7 * len(left):
            self._left_U, self._ids_2U = self._left_U[left], self._ids_2U[:, left]


@dataclass(frozen=True)
class FoundFile:
    """A block of the folder, or a shard of an earlier version, by the file that names its rows."""

    path: Path
    bytes: int  # of its rows

    @property
    def is_large(self) -> bool:
        return self.path.suffix == INDEX and self.bytes >= BLOCK_BYTES // 2

    @property
    def rows_file(self) -> Path:
        return self.path.with_name(f"{self.path.name.split('.')[0]}{ROWS}")

    def open(self) -> Block:
        """Raises FileNotFoundError, or one of DAMAGED."""
        if self.path.suffix == INDEX:
            return open_block(self.path)
        ids, values_NF, pixels = read_shard(self.path)
        return block_of(ids_of(ids), values_NF, pixels)

    def remove(self) -> None:
        """First what names its rows: without it no reader opens the rest."""
        pixels_file = self.path.with_name(f"{self.path.name.split('.')[0]}.pixels.json")
        for path in (self.path, self.rows_file, pixels_file):
            path.unlink(missing_ok=True)


def list_files(folder: Path) -> list[FoundFile]:
    """Large blocks first, then small ones and shards by name."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        bytes_of = {e.name: e for e in entries if e.name.endswith((INDEX, IDS_FILE, ROWS))}
        for name in sorted(bytes_of):
            rows = bytes_of.get(f"{name.split('.')[0]}{ROWS}")
            if not name.endswith(ROWS) and rows is not None:
                with contextlib.suppress(FileNotFoundError):
                    found.append(FoundFile(folder / name, rows.stat().st_size - NPY_HEADER))
    return sorted(found, key=lambda file: not file.is_large)


def merge(folder: Path) -> None:
    """Merge small blocks and shards if there are many. Nothing happens while another process does,
    and where the cache cannot be written. Raises DiskFull.
    """
    if not _are_many(_small(folder)):
        return
    with _alone(folder) as alone:
        small = _small(folder)
        if not alone or not _are_many(small):
            return
        group: list[FoundFile] = []
        for file in [*small, None]:
            if file is None or sum(f.bytes for f in (*group, file)) > BLOCK_BYTES:
                if len(group) > 1:
                    _merge(folder, group)
                group = []
            if file is not None:
                group.append(file)


def _small(folder: Path) -> list[FoundFile]:
    return [file for file in list_files(folder) if not file.is_large]


def _are_many(small: Sequence[FoundFile]) -> bool:
    return len(small) > MOST_FILES or (
        len(small) > 1 and sum(file.bytes for file in small) >= BLOCK_BYTES
    )


def _merge(folder: Path, files: Sequence[FoundFile]) -> None:
    """Damaged files stay, for verify to name. Damaged rows go, and those that a large block has."""
    opened: list[tuple[FoundFile, Block]] = []
    for file in files:
        with contextlib.suppress(*DAMAGED):
            opened.append((file, file.open()))
    wide = opened[0][1].values_NF.shape[1] if opened else 0
    opened = [(file, block) for file, block in opened if block.values_NF.shape[1] == wide]
    parts = [block for _, block in opened]
    for file in list_files(folder):
        if file.is_large:
            with contextlib.suppress(*DAMAGED):
                large = file.open()
                parts = [_without(block, large) for block in parts]
    if not parts:
        return
    merged = _together(parts)
    if len(merged) == 0 or write_block(folder, merged):
        for file, _ in opened:
            if file.path.stem != index_name(merged.index_6N):
                file.remove()


def _without(block: Block, large: Block) -> Block:
    """What a block has and a large one has not."""
    at, at_large = both(block.index_6N[IDS], large.index_6N[IDS])
    is_left = np.ones(block.index_6N.shape[1], dtype=bool)
    is_left[at[large.whole(at_large)]] = False
    return Block(block.index_6N[:, is_left], block.values_NF)


def _together(parts: Sequence[Block]) -> Block:
    """One block of the rows of several that are whole; in memory."""
    whole = [(b, b.whole(np.arange(b.index_6N.shape[1]))) for b in parts]
    index_6N = np.concatenate([b.index_6N[:, is_whole] for b, is_whole in whole], axis=1)
    first = parts[0].values_NF
    values_NF = np.empty((index_6N.shape[1], first.shape[1]), dtype=first.dtype)
    start = 0
    for block, is_whole in whole:
        rows_N = block.index_6N[NUMBER][is_whole].astype(np.int64)
        values_NF[start : start + len(rows_N)] = block.values_NF[rows_N]
        start += len(rows_N)
    index_6N[NUMBER] = np.arange(len(values_NF))
    return Block(in_order(index_6N), values_NF)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process merges this folder. Where a file system has no locks, it is taken to
    be so: two that merge at once cost time and space.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:
            yield True
        else:
            yield True
    finally:
        os.close(handle)
