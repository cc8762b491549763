"""Files of shards: a path on disk, or a URL that fsspec reads (s3://, gs://, https://, ...)."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import numpy as np

from harness.core.errors import DataError
from harness.core.identity import Identity, identity

Value = TypeVar("Value")
#: What is read at once of a file behind a URL, in bytes.
BLOCK = 2**23


def is_url(place: str) -> bool:
    return "://" in place


def open_shard(place: str) -> IO[bytes]:
    """The file from its beginning. Raises DataError."""
    if not is_url(place):
        return _explained(place, lambda: Path(place).open("rb"))
    file_system, path = _file_system(place)
    handle = _explained(place, lambda: file_system.open(path, "rb", block_size=BLOCK))
    return cast(IO[bytes], handle)


def read_range(place: str, start: int, size: int) -> bytes:
    """So many bytes from `start`. Raises DataError, also where there are fewer."""
    if is_url(place):
        file_system, path = _file_system(place)
        content: bytes = _explained(
            place, lambda: file_system.cat_file(path, start=start, end=start + size)
        )
    else:
        content = _explained(place, lambda: _range_of_file(place, start, size))
    if len(content) < size:
        raise DataError(f"shard {place} is shorter than it was: it has no byte {start + size}")
    return content


def state_of(place: str) -> Identity:
    """What says that a shard is still the same: size and three more numbers. Raises DataError."""
    if not is_url(place):
        return _explained(place, lambda: identity(place))
    file_system, path = _file_system(place)
    # Size, times and checksums, as far as the server tells them.
    state = _explained(place, lambda: (file_system.size(path), file_system.ukey(path)))
    one, two, three = np.frombuffer(
        hashlib.sha256(repr(state).encode()).digest()[:24], "<u8"
    ).tolist()
    return int(state[0] or 0), one, two, three


def matching(pattern: str) -> list[str]:
    """The files that a pattern with * or ? means, sorted. Raises DataError."""
    if not is_url(pattern):
        return sorted(path for path in glob.glob(pattern) if Path(path).is_file())  # noqa: PTH207
    folder = fixed_folder(pattern)
    file_system, root = _file_system(folder)
    root = root.rstrip("/") + "/"
    found = _explained(pattern, lambda: file_system.glob(root + pattern.removeprefix(folder)))
    return sorted(folder + path.removeprefix(root) for path in found)


def fixed_folder(pattern: str) -> str:
    """The folder that all files of a pattern with *, ? or {} are below, with a slash at its end."""
    return "".join(re.split(r"[*?{]", pattern, maxsplit=1)[0].rpartition("/")[:2])


def is_there(place: str) -> bool:
    """Whether there is a file. Raises DataError where that cannot be found out."""
    if not is_url(place):
        return Path(place).is_file()
    file_system, path = _file_system(place)
    return bool(_explained(place, lambda: file_system.isfile(path)))


def read_small(place: str) -> bytes:
    """All of a file. Raises DataError."""
    with open_shard(place) as handle:
        return _explained(place, handle.read)


def _range_of_file(place: str, start: int, size: int) -> bytes:
    handle = os.open(place, os.O_RDONLY)
    try:
        parts: list[bytes] = []
        while size and (part := os.pread(handle, size, start)):  # 2 GB at most at once
            parts.append(part)
            start, size = start + len(part), size - len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _file_system(url: str) -> tuple[Any, str]:
    """Fsspec keeps one for each process, as its threads do not outlive a fork. Raises DataError."""
    from fsspec.core import url_to_fs

    found: tuple[Any, str] = _explained(url, lambda: url_to_fs(url))
    return found


def _explained(place: str, read: Callable[[], Value]) -> Value:
    """What `read` gives; whatever a file system raises is a DataError."""
    try:
        return read()
    except FileNotFoundError as error:
        raise DataError(f"there is no shard {place}") from error
    except ImportError as error:  # s3fs, gcsfs, aiohttp
        raise DataError(f"{place} cannot be read without another package: {error}") from error
    except Exception as error:  # every service has errors of its own
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise DataError(f"shard {place} cannot be read: {reason}") from error


def sorted_unique(places: Sequence[str]) -> list[str]:
    """In order, each once."""
    return sorted(dict.fromkeys(places))
