"""What is kept in the cache folder, where it can be written; where it cannot, work goes on."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from harness.core.errors import DiskFull, OutputError
from harness.core.files import cache_folder, explain_oserror, write_atomically
from harness.core.hashing import digest

#: The first problem of every cache folder that could not be written.
_problems: dict[Path, str] = {}


def keep(path: Path, write: Callable[[IO[bytes]], object]) -> bool:
    """Write a file of the cache whole; False if the folder cannot be written, which changes no
    result. `problems` then says so.

    Raises DiskFull.
    """
    try:
        write_atomically(path, write)
    except OutputError as error:
        _problems.setdefault(cache_folder(), str(error))
        return False
    return True


def append(path: Path, record: bytes) -> bool:
    """Add a record, with one write, to a file of the cache that no other process writes to; False
    as `keep`.

    Raises DiskFull.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as handle:
            if handle.write(record) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        explained = explain_oserror(path, error)
        if isinstance(explained, DiskFull):
            raise explained from error
        _problems.setdefault(cache_folder(), str(explained))
        return False
    return True


def problems() -> tuple[str, ...]:
    """A note on every cache folder that could not be written, once."""
    notes = tuple(
        f"the cache folder {folder} cannot be written, so what is computed is not kept ({problem})"
        for folder, problem in _problems.items()
    )
    _problems.clear()
    return notes


def cached_json(
    kind: str,
    key: str,
    compute: Callable[[], Any],
    is_whole: Callable[[Any], bool] = lambda _: True,
) -> Any:
    """JSON data that is computed once and kept in the folder `kind` of the cache. What is damaged,
    or not whole, is computed again and written over.
    """
    kept = kept_json(kind, key)
    if kept is not None and is_whole(kept):
        return kept
    value = compute()
    keep(_json_path(kind, key), lambda f: f.write(json.dumps(value).encode()))
    return value


def kept_json(kind: str, key: str) -> Any:
    """What `cached_json` kept; None if it kept nothing, or what is damaged."""
    try:
        return json.loads(_json_path(kind, key).read_bytes())
    except (OSError, ValueError):
        return None


def _json_path(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{digest([kind, key], 32)}.json"
