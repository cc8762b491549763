"""Features of pictures on disk: a table of rows, and an index that says of which picture each is.

NAME.npy holds the rows (N, F); NAME.index is written after it, and without it the rows are not
read. The index is an array (6, N) of 64-bit numbers, sorted by the first two:

    0, 1    what the row is found by: 128 bits of a hash of the picture's address
    2, 3    the hash of its pixels; zeros where it is not known
    4       the checksum of the row
    5       its number in NAME.npy

NAME is a hash of the index. So a damaged index is noticed by its name, and a damaged row by its
checksum. Nothing is written in place: files are only added, and those of few rows are merged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cache import keep
from harness.core.checksums import TOGETHER, checksums

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.core.samples import IntArray

    Array = np.ndarray[Any, np.dtype[Any]]
    Words = npt.NDArray[np.uint64]

ROWS, INDEX = ".npy", ".index"
COLUMNS = 6
IDS, PIXELS, CHECKSUM, NUMBER = slice(0, 2), slice(2, 4), 4, 5


@dataclass(frozen=True)
class Block:
    """Rows and their index. The rows are mapped into memory, or in memory."""

    index_6N: Words
    values_NF: Array

    def __len__(self) -> int:
        return len(self.values_NF)

    def whole(self, at_M: IntArray) -> npt.NDArray[np.bool_]:
        """(M,): whether the rows at these positions of the index are as they were written."""
        whole_M = np.empty(len(at_M), dtype=bool)
        number_M = self.index_6N[NUMBER][at_M].astype(np.int64)
        order_M = np.argsort(number_M, kind="stable")  # as they lie on disk
        for start in range(0, len(order_M), TOGETHER):
            part = order_M[start : start + TOGETHER]
            sums = checksums(self.values_NF[number_M[part]])
            whole_M[part] = sums == self.index_6N[CHECKSUM][at_M[part]]
        return whole_M


def both(one_2N: Words, other_2M: Words) -> tuple[IntArray, IntArray]:
    """Positions in two lists of ids, each sorted and without equal ones, of what is in both."""
    if one_2N.shape[1] > other_2M.shape[1]:
        in_other, in_one = both(other_2M, one_2N)
        return in_one, in_other
    if one_2N.shape[1] == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    at_N = np.searchsorted(other_2M[0], one_2N[0]).clip(max=other_2M.shape[1] - 1)
    # Of two ids that share their first half only one is found; the other is computed again.
    is_there_N = (other_2M[:, at_N] == one_2N).all(axis=0)
    return np.flatnonzero(is_there_N), at_N[is_there_N]


def block_of(ids_2N: Words, values_NF: Array, pixels: Sequence[str | None]) -> Block:
    """A block of rows in memory: the first of equal ids is kept in the index."""
    index_6N = np.zeros((COLUMNS, len(values_NF)), dtype="<u8")
    index_6N[IDS] = ids_2N
    index_6N[PIXELS] = pixel_words(pixels)
    index_6N[CHECKSUM] = checksums(values_NF)
    index_6N[NUMBER] = np.arange(len(values_NF))
    return Block(in_order(index_6N), values_NF)


def in_order(index_6N: Words) -> Words:
    """An index sorted by its ids, each once: of equal ones the first."""
    order_N = np.lexsort((index_6N[1], index_6N[0]))
    ordered_6N = index_6N[:, order_N]
    same_N = (ordered_6N[IDS, 1:] == ordered_6N[IDS, :-1]).all(axis=0)
    return np.ascontiguousarray(ordered_6N[:, np.concatenate([[True], ~same_N])[: len(order_N)]])


def write_block(folder: Path, block: Block) -> bool:
    """False where the cache cannot be written. Raises DiskFull."""
    name = index_name(block.index_6N)
    return keep(folder / f"{name}{ROWS}", lambda f: np.save(f, block.values_NF)) and keep(
        folder / f"{name}{INDEX}", lambda f: np.save(f, block.index_6N)
    )


def open_block(index_file: Path) -> Block:
    """The block of an index file, its rows mapped into memory.

    Raises FileNotFoundError, OSError, ValueError or EOFError: it is gone, or damaged.
    """
    index_6N = read_index(index_file)
    values_NF = np.load(index_file.with_suffix(ROWS), mmap_mode="r", allow_pickle=False)
    if values_NF.ndim != 2 or values_NF.dtype.kind != "f":
        raise ValueError(f"shape {values_NF.shape} of {values_NF.dtype}, and not rows of numbers")
    if index_6N.shape[1] and index_6N[NUMBER].max() >= len(values_NF):
        raise ValueError(f"{len(values_NF)} rows, and the index names more")
    return Block(index_6N, np.asarray(values_NF))


def read_index(path: Path) -> Words:
    """Raises OSError, ValueError or EOFError for a file that is no index, or is damaged."""
    index_6N = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    if index_6N.dtype != "<u8" or index_6N.ndim != 2:
        raise ValueError("it is no index of features")
    if len(index_6N) != COLUMNS or index_name(index_6N) != path.stem:
        raise ValueError("its name is not the hash of its content")
    return index_6N


def index_name(index_6N: Words) -> str:
    """The name of the files of a block, without their endings: a hash of the checksums of what the
    index holds, as that of all its bytes would take longer than all else that reading does.
    """
    words_N = np.ascontiguousarray(index_6N).ravel()
    whole = len(words_N) // TOGETHER * TOGETHER
    content = hashlib.sha256(str(index_6N.shape).encode())
    for words in (words_N[:whole].reshape(-1, TOGETHER), words_N[None, whole:]):
        content.update(checksums(words).tobytes())
    return content.hexdigest()[:32]


def ids_of(addresses: Sequence[str]) -> Words:
    """(2, N): what rows are found by."""
    joined = b"".join(
        hashlib.blake2b(a.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        for a in addresses
    )
    return np.frombuffer(joined, dtype="<u8").reshape(-1, 2).T


def pixel_words(pixels: Sequence[str | None]) -> Words:
    """(2, N) of hashes of 32 hexadecimal digits; zeros where one is not known."""
    joined = "".join(p or "0" * 32 for p in pixels)
    return np.frombuffer(bytes.fromhex(joined), dtype="<u8").reshape(-1, 2).T


def pixel_texts(words_2N: Words) -> list[str | None]:
    """What `pixel_words` was made of."""
    joined = np.ascontiguousarray(words_2N.T).tobytes().hex()
    known: list[bool] = np.any(words_2N, axis=0).tolist()
    return [joined[32 * n : 32 * n + 32] if is_known else None for n, is_known in enumerate(known)]
