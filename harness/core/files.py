"""Files that are written whole, and the folder of the cache, which can be deleted at any time."""

from __future__ import annotations

import contextlib
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
