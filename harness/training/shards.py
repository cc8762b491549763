"""Shards of features, as earlier versions kept them: they are read, and merged into blocks.

A shard is NAME.npy (the rows), NAME.pixels.json (a hash of each) and NAME.ids.json, which was
written last: a shard without it is not read. The first shards have no hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

IDS_FILE = ".ids.json"
HEX = set("0123456789abcdef")


def read_shard(ids_file: Path) -> tuple[list[str], Array, list[str | None]]:
    """Ids, rows (N, F), and the hashes of the pixels: None where they are not known.

    Raises FileNotFoundError, OSError, ValueError, TypeError or EOFError: it is gone, or damaged.
    """
    ids = json.loads(ids_file.read_text(encoding="utf-8"))
    rows_NF = np.load(_beside(ids_file, ".npy"), allow_pickle=False)
    if not isinstance(ids, list) or rows_NF.ndim != 2 or len(rows_NF) != len(ids):
        raise ValueError(f"{ids_file} does not name the rows of its shard")
    if shard_name(ids) != ids_file.name.removesuffix(IDS_FILE):
        raise ValueError(f"the name of {ids_file} is not the hash of its ids")
    return ids, rows_NF, _pixels(_beside(ids_file, ".pixels.json"), len(ids))


def shard_name(ids: Sequence[str]) -> str:
    """The name of the files of a shard, without their endings."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]


def _beside(ids_file: Path, ending: str) -> Path:
    return ids_file.with_name(ids_file.name.replace(IDS_FILE, ending))


def _pixels(path: Path, n: int) -> list[str | None]:
    """The hashes of a shard; None for each where there are none, or where they are damaged."""
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        hashes = None
    whole = isinstance(hashes, list) and len(hashes) == n
    return [_hash(h) for h in hashes] if whole else [None] * n


def _hash(value: object) -> str | None:
    is_hash = isinstance(value, str) and len(value) == 32 and not set(value) - HEX
    return str(value) if is_hash else None
