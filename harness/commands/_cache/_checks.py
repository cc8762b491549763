"""Whether an entry of the cache is whole: one check for each kind. Every file is read to its end.

What a reader of the harness would take for missing is damage; so are ids, hashes and rows that do
not agree. A file that vanishes meanwhile is not.
"""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.commands._cache._entry import Damage, Entry, File, ids_first
from harness.core.hash_segments import load_segment
from harness.core.row_checksums import read_checksums
from harness.data import _clip_index
from harness.data._shard_index import load_kept
from harness.training.blocks import INDEX, ROWS, open_block, read_index
from harness.training.shards import shard_name

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

#: What reading a damaged file raises; OSError is apart, as the file may be whole.
DAMAGED = (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


@contextlib.contextmanager
def times_kept(path: Path) -> Iterator[None]:
    """Checking is not use: the time at which the file was last read stays."""
    before = path.stat()
    yield
    with contextlib.suppress(OSError):  # of another user, or replaced meanwhile
        if path.stat().st_ino == before.st_ino:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def each(check: Callable[[Path], object]) -> Callable[[Entry], list[Damage]]:
    """A check of entries whose files can be used, or are damaged, one by one."""

    def checked(entry: Entry) -> list[Damage]:
        found = ((file, problem(file, check)) for file in entry.files)
        return [Damage(file, reason, (file,)) for file, reason in found if reason]

    return checked


def problem(file: File, check: Callable[[Path], object]) -> str | None:
    """Why a file is damaged; None for one that is whole, or gone.

    Raises OSError for one that cannot be read.
    """
    try:
        with times_kept(file.path):
            check(file.path)
    except FileNotFoundError:
        return None
    except DAMAGED as error:
        text = " ".join(str(error).split())
        if "pickle" in text:  # what numpy says of any file that it does not know
            return "it is no file of arrays"
        return text or "it is cut short"
    return None


def array(path: Path) -> Array:
    """Raises ValueError or EOFError."""
    with path.open("rb") as handle:
        values: Array = np.load(handle, allow_pickle=False)
        if not isinstance(values, np.ndarray) or handle.read(1):
            raise ValueError("it is more than one array")
    return values


def rows(path: Path) -> Array:
    """(N, D): embeddings or features. Raises ValueError or EOFError."""
    values = array(path)
    if values.ndim != 2 or values.dtype.kind != "f":
        raise ValueError(f"shape {values.shape} of {values.dtype}, and not rows of numbers")
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are no finite numbers")
    return values


def json_file(is_whole: Callable[[Any], bool]) -> Callable[[Path], Any]:
    """A check that a JSON file holds what its readers need."""

    def checked(path: Path) -> Any:
        data = json.loads(path.read_bytes())
        if not is_whole(data):
            raise ValueError("it does not hold what its readers need")
        return data

    return checked


def is_mapping(data: Any) -> bool:
    return isinstance(data, dict)


def is_lists(data: Any) -> bool:
    return isinstance(data, dict) and bool(data) and all(isinstance(v, list) for v in data.values())


def is_header(data: Any) -> bool:
    return isinstance(data, dict) and {"shapes", "types", "logit_scale", "says"} <= set(data)


def is_count(data: Any) -> bool:
    return isinstance(data, int | float) and data > 0


def is_rate(data: Any) -> bool:
    return bool({"kind", "of"} <= set(data) and data["items"] > 0 and data["seconds"] >= 0)


def is_index(data: Any) -> bool:
    times, keys, length = data["times"], data["keys"], data["length"]
    return length > 0 and len(times) in (0, length) and isinstance(keys, list)


def is_scope(data: Any) -> bool:
    return isinstance(data["scope"], str)


def is_finding(data: Any) -> bool:
    sizes = data["n_cut"], data["rows"]["n_equal"], data["rows"]["n_close"]
    lists = data["cut"], data["rows"]["equal"], data["rows"]["close"]
    return all(n >= len(values) for n, values in zip(sizes, lists, strict=True))


def checksums(path: Path) -> None:
    values = array(path)
    if values.dtype != np.uint32 or values.ndim != 1 or not (values[1:] > values[:-1]).all():
        raise ValueError("it is no sorted list of checksums")


def text(path: Path) -> None:
    check = json_file(is_finding) if path.suffix == ".json" else rows
    check(path)


def hashes(path: Path) -> None:
    """The name of a segment is a hash of what it holds."""
    check = json_file(is_scope) if path.suffix == ".json" else load_segment
    check(path)


def frames(path: Path) -> None:
    """A zip has a checksum of every frame."""
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as saved:
        for name in saved.files:
            values = saved[name]
            if not name.isdecimal() or values.dtype != np.uint8 or values.shape[2:] != (3,):
                raise ValueError(f"{name} is no frame of a video")


def features(entry: Entry) -> list[Damage]:
    """A block, whose index and rows have checksums, or a shard of an earlier version."""
    index = entry.ending(INDEX)
    if index is None:
        return shard(entry)
    if reason := problem(index, read_index):
        return [Damage(index, reason, ids_first(entry.files))]
    table = next(file for file in entry.files if file.path.suffix == ROWS)
    if reason := problem(table, lambda _: _rows_of(index.path)):
        return [Damage(table, reason, ids_first(entry.files))]
    return []


def _rows_of(index: Path) -> None:
    """Raises ValueError or EOFError."""
    block = open_block(index)
    damaged = int((~block.whole(np.arange(block.index_6N.shape[1]))).sum())
    if damaged:
        raise ValueError(f"{damaged} of {len(block)} rows are not as they were written")


def shard(entry: Entry) -> list[Damage]:
    """Rows, ids and hashes of pixels of one shard: as many of each. If one is damaged, all are
    computed again.
    """
    counts: dict[str, int] = {}

    def check(path: Path) -> None:
        if path.suffix == ".npy":
            counts["rows"] = len(rows(path))
            return
        data = json.loads(path.read_bytes())
        if not isinstance(data, list):
            raise ValueError("it is no list")
        is_ids = path.name.endswith(".ids.json")
        if is_ids and path.name != f"{shard_name(data)}.ids.json":
            raise ValueError("its name is not the hash of its ids")
        counts["ids" if is_ids else "hashes of pixels"] = len(data)

    for file in entry.files:
        if reason := problem(file, check):
            return [Damage(file, reason, ids_first(entry.files))]
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{n} {what}" for what, n in counts.items())
        return [Damage(entry.files[0], f"the shard has {told}", ids_first(entry.files))]
    return []


def tables(entry: Entry) -> list[Damage]:
    """Of the datasets library. It finds a table by dataset_info.json, so all is made again."""
    checks = {".arrow": _arrow, ".json": json_file(is_mapping)}
    for file in entry.files:
        check = checks.get(file.path.suffix)
        reason = problem(file, check) if check else None
        if reason:
            return [Damage(file, reason, entry.files)]
    return []


def _arrow(path: Path) -> None:
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as source, pyarrow.ipc.open_stream(source) as stream:
            for batch in stream:
                batch.validate(full=True)
    except OSError as error:
        if error.errno is not None:
            raise
        raise ValueError(str(error)) from error  # the library says so of a file that is cut short


#: By kind.
CHECKS: dict[str, Callable[[Entry], list[Damage]]] = {
    "features": features,
    "hf": tables,
    "extracted": each(checksums),
    "rows": each(read_checksums),
    "text": each(text),
    "frames": each(frames),
    "hashes": each(hashes),
    "shards": each(lambda path: load_kept(path, "")),
    "clips": each(_clip_index.check),
    "videos": each(json_file(is_index)),
    "corrupt": each(json_file(is_lists)),
    "checkpoint headers": each(json_file(is_header)),
    "open_clip": each(json_file(is_mapping)),
    "timm": each(json_file(is_mapping)),
    "timm tags": each(json_file(is_mapping)),
    "multiply_adds": each(json_file(is_count)),
    "rates": each(json_file(is_rate)),
}
