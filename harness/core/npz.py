"""Arrays of an .npz file, each read when it is asked for.

A report reads one array of each of 100,000 files of some kilobytes. `np.load` takes a millisecond
for a file: most of it goes into opening the archive and parsing the same headers again.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: Larger files, and those that are no plain archives, are left to numpy.
MOST_BYTES = 2**17
#: Parts of an archive: its end, an entry of its directory, and the local header of a member (of 30
#: bytes, the last of which are the lengths of name and extra field).
_END, _ENTRY, _LENGTHS = (struct.Struct(f"<{form}") for form in ("4s4H2LH", "4s6H3L5H2L", "2H"))
_LOCAL = 30
_STORED, _DEFLATED = 0, 8
_NPY_1 = b"\x93NUMPY\x01\x00"


@dataclass(frozen=True)
class _Member:
    """Where an array is in the archive."""

    start: int  # of its local header
    packed: int  # bytes
    size: int  # bytes, unpacked
    crc: int
    method: int


class NpzArrays(Mapping[str, Array]):
    """The arrays of a file by name. Each access reads the array anew.

    Raises OSError, ValueError, EOFError, zipfile.BadZipFile or zlib.error for a file that is
    damaged: of an array when it is read, of the archive at the first access.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, name: str) -> Array:
        members = self._members
        if members is None:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                return np.asarray(saved[name])
        content = _unpacked(self._data, members[name])
        if not content.startswith(_NPY_1):
            return np.asarray(np.lib.format.read_array(io.BytesIO(content), allow_pickle=False))
        return _array(content)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        if self._members is not None:
            return tuple(self._members)
        with self.path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            return tuple(saved.files)

    @cached_property
    def _data(self) -> bytes:
        """Of a small file all; of a larger one its beginning."""
        with self.path.open("rb") as handle:
            return handle.read(MOST_BYTES + 1)

    @cached_property
    def _members(self) -> dict[str, _Member] | None:
        """None: numpy has to read the file."""
        return _members(self._data) if len(self._data) <= MOST_BYTES else None


def _members(data: bytes) -> dict[str, _Member] | None:
    """The directory of an archive as numpy writes it; None for any other."""
    end = len(data) - _END.size
    if end < 0 or not data.startswith(b"PK\3\4", 0) or not data.startswith(b"PK\5\6", end):
        return None
    _, _, _, _, count, _, at, _ = _END.unpack_from(data, end)
    found = {}
    for _ in range(count):
        if not data.startswith(b"PK\1\2", at) or at + _ENTRY.size > end:
            return None
        (_, _, _, flags, method, _, _, crc, packed, size, n, extra, comment, _, _, _, start) = (
            _ENTRY.unpack_from(data, at)
        )
        name = data[at + _ENTRY.size : at + _ENTRY.size + n]
        usual = not flags & 1 and method in (_STORED, _DEFLATED) and start + _LOCAL <= end
        if not (usual and name.endswith(b".npy") and name.isascii()):
            return None
        found[name[:-4].decode()] = _Member(start, packed, size, crc, method)
        at += _ENTRY.size + n + extra + comment
    return found


def _unpacked(data: bytes, member: _Member) -> bytes:
    """Raises ValueError or zlib.error if the bytes are not those that were written."""
    lengths = _LENGTHS.unpack_from(data, member.start + _LOCAL - _LENGTHS.size)
    start = member.start + _LOCAL + sum(lengths)
    packed = data[start : start + member.packed]
    content = packed if member.method == _STORED else zlib.decompress(packed, -zlib.MAX_WBITS)
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise ValueError("an array has other bytes than were written")
    return content


def _array(content: bytes) -> Array:
    begin = len(_NPY_1) + 2
    start = begin + int.from_bytes(content[len(_NPY_1) : begin], "little")
    shape, fortran, dtype = _header(content[len(_NPY_1) : start])
    flat = np.frombuffer(content, dtype, offset=start)
    if flat.size != math.prod(shape):
        raise ValueError(f"an array of shape {shape} has {flat.size} numbers")
    in_order = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return in_order.copy("K")  # one that can be written to


@lru_cache(maxsize=256)
def _header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """(shape, whether in Fortran's order, dtype). Arrays of a study have few different headers."""
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(io.BytesIO(header))
    if dtype.hasobject:
        raise ValueError("an array of objects")
    return shape, fortran, dtype
