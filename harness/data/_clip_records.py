"""Records of index passes in a file: an address, a length, a checksum, and what is packed.

4 bytes   CLIP
16 bytes  address
8 bytes   size and crc32 of the rest
rest      zlib: number of frames, of times, of keys; differences of times and of keys
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.data._decode import Index

MAGIC = b"CLIP"
HEADER = struct.Struct("<4s16sII")
COUNTS = struct.Struct("<III")


class Record(NamedTuple):
    """Where the packed index of an address is in a file, in bytes."""

    address: bytes
    start: int
    size: int


def packed(index: Index) -> bytes:
    """Times grow by nearly the same from frame to frame, so their differences become short."""
    counts = COUNTS.pack(index.length, len(index.times), len(index.keys))
    return zlib.compress(counts + _differences(index.times) + _differences(index.keys))


def unpacked(payload: bytes) -> Index | None:
    """None for what is no packed index."""
    try:
        content = zlib.decompress(payload)
        length, n_times, n_keys = COUNTS.unpack_from(content)
        values = np.frombuffer(content, "<i8", offset=COUNTS.size)
    except (zlib.error, struct.error, ValueError):
        return None
    if length == 0 or n_times not in (0, length) or len(values) != n_times + n_keys:
        return None
    times, keys = (np.cumsum(part).tolist() for part in (values[:n_times], values[n_times:]))
    return Index(length, tuple(times), tuple(keys))


def record(address: bytes, payload: bytes) -> bytes:
    """What is written to a file for one address of 16 bytes."""
    return HEADER.pack(MAGIC, address, len(payload), zlib.crc32(payload)) + payload


def records(content: bytes) -> tuple[list[Record], int]:
    """The records of a part of a file, and where the last whole one ends: a writer may be at work
    on the next. One whose content is damaged is left out.
    """
    found, at = [], 0
    while at + HEADER.size <= len(content):
        magic, address, size, checksum = HEADER.unpack_from(content, at)
        start = at + HEADER.size
        if magic != MAGIC or start + size > len(content):
            break
        at = start + size
        if zlib.crc32(memoryview(content)[start:at]) == checksum:
            found.append(Record(address, start, size))
    return found, at


def _differences(values: Sequence[int]) -> bytes:
    return np.diff(np.array(values, dtype="<i8"), prepend=0).astype("<i8").tobytes()
