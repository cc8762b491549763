"""The cache folder: addressed by content, safe under concurrent writers, free to delete."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from harness.core.errors import DiskFull, OutputError


def cache_folder() -> Path:
    """HARNESS_CACHE, or the platform's cache folder."""
    import platformdirs

    return Path(os.environ.get("HARNESS_CACHE") or platformdirs.user_cache_dir("harness"))


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside `path`, sync, rename: readers see the whole file or none.

    Raises DiskFull or OutputError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            write(handle)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        raise explain_oserror(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # its parent may not be a folder
            temporary.unlink(missing_ok=True)


def explain_oserror(path: Path, error: OSError) -> DiskFull | OutputError:
    """DiskFull for a full disk, OutputError for a path that cannot be written."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"no space left on the device while writing {path}; every finished cell is safe: "
            "free some space and run the same command again"
        )
    return OutputError(f"cannot write {path}: {error.strerror or error}")


def file_hash(path: Path) -> str:
    """sha256 of a file, remembered by path, size and time."""
    stat = path.stat()
    name = hashlib.sha256(f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}".encode())
    remembered = cache_folder() / "hashes" / name.hexdigest()[:32]
    if remembered.is_file() and remembered.stat().st_size == 64:  # whole
        return remembered.read_text(encoding="ascii")
    with path.open("rb") as handle:
        value = hashlib.file_digest(handle, "sha256").hexdigest()
    write_atomically(remembered, lambda f: f.write(value.encode("ascii")))
    return value
