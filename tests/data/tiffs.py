"""TIFF files with the tags that a test wants, which Pillow does not write."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

MOST, PLANES, SAMPLE_FORMAT = 281, 284, 339
SHORT, LONG = 3, 4


def tiff(
    values: npt.NDArray[np.generic], bits: int, *, photometric: int = 1, samples: int = 1,
    order: str = "<", tags: Mapping[int, int] | None = None, strip: bytes | None = None,
) -> bytes:  # fmt: skip
    """An uncompressed picture of one strip. `values` are (H, W) or (H, W, samples); `strip` are its
    bytes where the samples are not whole bytes.
    """
    height, width = values.shape[:2]
    strip = values.tobytes() if strip is None else strip
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 277: samples,
               278: height, 279: len(strip)} | dict(tags or {})  # fmt: skip
    end = 8 + 2 + 12 * (len(entries) + 1) + 4
    depths = struct.pack(f"{order}{samples}H", *[bits] * samples)
    entries[273] = end + len(depths)
    lines = b"".join(_entry(order, tag, entries[tag], samples, end) for tag in sorted(entries))
    header = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    count = struct.pack(f"{order}H", len(entries))
    return header + count + lines + struct.pack(f"{order}I", 0) + depths + strip


def _entry(order: str, tag: int, value: int, samples: int, end: int) -> bytes:
    if tag == 258 and samples > 2:  # too long for the entry: at the end of the list
        return struct.pack(f"{order}HHII", tag, SHORT, samples, end)
    if value > 65535 or tag in (273, 279):
        return struct.pack(f"{order}HHII", tag, LONG, 1, value)
    return struct.pack(f"{order}HHIHH", tag, SHORT, 1, value, 0)


def packed_12(values: list[int]) -> bytes:
    """An even number of values of 12 bits, two in three bytes."""
    pairs = zip(values[::2], values[1::2], strict=True)
    return b"".join(bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for a, b in pairs)
