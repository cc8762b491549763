"""An entry of the cache, and what may be wrong with it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class File:
    """A file of the cache as it was found."""

    path: Path
    found: os.stat_result

    @property
    def bytes(self) -> int:
        return self.found.st_size

    def last_used(self) -> float:
        """When it was last read or written, in seconds since 1970. Where the file system does not
        keep times of reading, when it was written.
        """
        return max(self.found.st_mtime, self.found.st_atime)

    def remove(self) -> bool:
        """Whether it is gone. One that a writer has replaced meanwhile stays.

        Raises OSError.
        """
        try:
            now = self.path.lstat()
            if (now.st_ino, now.st_mtime_ns) != (self.found.st_ino, self.found.st_mtime_ns):
                return False
            self.path.unlink()
        except FileNotFoundError:
            pass
        return True


def found_file(path: Path) -> File | None:
    """None for what is no regular file, as a link, and for what is gone meanwhile."""
    with contextlib.suppress(OSError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            return File(path, found)
    return None


@dataclass(frozen=True)
class Entry:
    """What is computed, used and removed together."""

    name: str
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def ending(self, ending: str) -> File | None:
        return next((f for f in self.files if f.path.name.endswith(ending)), None)

    def last_used(self, ending: str = "") -> float:
        """When one of its files, or of those with this ending, was last read or written."""
        return max(f.last_used() for f in self.files if f.path.name.endswith(ending))


def files_of(entries: Iterable[Entry]) -> list[File]:
    return [file for entry in entries for file in entry.files]


def ids_first(files: Sequence[File]) -> list[File]:
    """The order in which features are removed: without their ids no reader opens the rest."""
    return sorted(files, key=lambda file: not file.path.name.endswith((".index", ".ids.json")))


@dataclass(frozen=True)
class Damage:
    """What is wrong with a file, and the files that are of no use for it."""

    file: File
    reason: str
    remove: Sequence[File] = ()
