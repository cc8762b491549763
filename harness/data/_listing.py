"""What a folder of a data set holds: files to read, special files, files of other kinds.

Files and folders that operating systems and editors leave behind are ignored at every depth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import DataError

#: Left behind by macOS, Windows, and the Synology file server; in lower case.
JUNK = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir"})


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is no data: hidden, or left behind by a system."""
    return name.startswith(".") or name.lower() in JUNK


def entries(folder: Path) -> list[Path]:
    """The files and folders directly in `folder` that are not junk, sorted.

    Raises DataError if the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_junk(path.name))
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error.strerror}") from error


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in `folder` that are not junk, sorted; links to folders are followed."""
    return [path for path in entries(folder) if path.is_dir()]


@dataclass
class Listing:
    """The content of a folder."""

    files: list[Path] = field(default_factory=list)  # of the kinds that are read, sorted
    other: Counter[str] = field(default_factory=Counter)  # suffix -> files of kinds that are not


def listing(folder: Path, suffixes: Collection[str], *, deep: bool = True) -> Listing:
    """The files in `folder`, and in the folders below it if `deep`.

    `suffixes` are those of files that are read, in lower case. Links to folders below `folder` are
    not followed, as they may form a loop.

    Raises DataError if a folder cannot be read.
    """
    result = Listing()
    to_visit = [folder]
    while to_visit:
        for path in entries(to_visit.pop()):
            if path.suffix.lower() in suffixes:
                result.files.append(path)
            elif path.is_dir():
                if deep and not path.is_symlink():
                    to_visit.append(path)
            else:
                result.other[path.suffix.lower()] += 1
    result.files.sort()
    return result
