"""Shards of cached features: rows with their ids and the hashes of the pixels that they are of.

A shard is NAME.npy (the rows), NAME.pixels.json (a hash of each) and NAME.ids.json, which is
written last: a shard without it is not read. Shards of earlier versions have no hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cache import keep

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

#: A row (F,), and the hash of the pixels that it was computed from, where that is known.
Row = tuple["Array", str | None]


def read_shards(folder: Path, wanted: set[str]) -> dict[str, Row]:
    """Rows of `wanted` by id; the folder may hold those of many other data sets."""
    found: dict[str, Row] = {}
    for ids_file in sorted(folder.glob("*.ids.json")):
        try:
            ids = json.loads(ids_file.read_text(encoding="utf-8"))
            if wanted.isdisjoint(ids):
                continue
            rows = np.load(_beside(ids_file, ".npy"))
            pixels = _pixels(_beside(ids_file, ".pixels.json"), len(ids))
            shard = zip(ids, rows, pixels, strict=True)
            found.update({i: (h_F, p) for i, h_F, p in shard if i in wanted})
        except (OSError, ValueError, TypeError, EOFError):
            continue  # damaged: it is computed again and overwritten
    return found


def write_shard(folder: Path, ids: Sequence[str], rows: Sequence[Row]) -> None:
    """Keeps them, where the cache can be written. Raises DiskFull."""
    name = shard_name(ids)
    h_NF = np.stack([h_F for h_F, _ in rows])
    if not keep(folder / f"{name}.npy", lambda f: np.save(f, h_NF)):
        return
    for ending, values in ((".pixels.json", [p for _, p in rows]), (".ids.json", list(ids))):
        text = json.dumps(values).encode()
        keep(folder / f"{name}{ending}", lambda f, text=text: f.write(text))  # type: ignore[misc]


def shard_name(ids: Sequence[str]) -> str:
    """The name of the files of a shard, without their endings."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]


def _beside(ids_file: Path, ending: str) -> Path:
    return ids_file.with_name(ids_file.name.replace(".ids.json", ending))


def _pixels(path: Path, n: int) -> list[str | None]:
    """The hashes of a shard; None for each where there are none, or where they are damaged."""
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        hashes = None
    whole = isinstance(hashes, list) and len(hashes) == n
    return [h if isinstance(h, str) else None for h in hashes] if whole else [None] * n
