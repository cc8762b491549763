"""Safetensors files, read without torch: names, shapes, types, metadata and single arrays.

numpy has no bfloat16. Such a tensor is read as float32, which holds each of its values exactly.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

BFLOAT16 = "BF16"


@dataclass(frozen=True)
class TensorEntry:
    """What the header says of one tensor. `dtype` is the format's own name, as F16 or BF16."""

    dtype: str
    shape: tuple[int, ...]
    begin: int  # bytes from the start of the file
    end: int


@dataclass(frozen=True)
class SafetensorsHeader:
    """The tensors of a file by name, in the order of their names, and its metadata."""

    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]


def read_safetensors_header(path: Path) -> SafetensorsHeader:
    """Raises SafetensorError for a file that is cut short or is none, OSError if it is not read."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as saved:  # the library checks the whole layout
        names, metadata = sorted(saved.keys()), dict(saved.metadata() or {})
    with path.open("rb") as handle:
        (length,) = struct.unpack("<Q", handle.read(8))
        header = json.loads(handle.read(length))
    start = 8 + length
    tensors = {
        name: TensorEntry(
            header[name]["dtype"],
            tuple(header[name]["shape"]),
            start + header[name]["data_offsets"][0],
            start + header[name]["data_offsets"][1],
        )
        for name in names
    }
    return SafetensorsHeader(tensors, metadata)


def read_safetensors_array(path: Path, name: str) -> Array:
    """One tensor as an array; bfloat16 as float32.

    Raises KeyError for a name that the file does not hold, TypeError or ValueError for a type that
    numpy does not have.
    """
    from safetensors import safe_open

    entry = read_safetensors_header(path).tensors[name]
    if entry.dtype == BFLOAT16:
        return _bfloat16(path, entry)
    with safe_open(path, framework="numpy") as saved:
        array: Array = saved.get_tensor(name)
        return array


def _bfloat16(path: Path, entry: TensorEntry) -> Array:
    """bfloat16 is the upper half of a float32."""
    import numpy as np

    with path.open("rb") as handle:
        handle.seek(entry.begin)
        raw = np.frombuffer(handle.read(entry.end - entry.begin), dtype="<u2")
    wide: Array = (raw.astype(np.uint32) << 16).view(np.float32).reshape(entry.shape)
    return wide
