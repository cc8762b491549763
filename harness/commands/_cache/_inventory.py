"""What lies in the cache folder: entries by kind, what is of no use, and what is not known."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.commands._cache._entry import Entry, File, found_file
from harness.commands._cache._kinds import KINDS, Kind
from harness.core.errors import BadInput
from harness.core.files import cache_folder

#: As write_atomically names what it writes: .NAME.PROCESS.RANDOM.tmp
TEMPORARY = re.compile(r"\..+\.\d+\.[0-9a-f]{8}\.tmp")
#: Of an earlier version: 64 hex digits, a sha256.
OLD_HASH_BYTES = 64
#: A writer may still be at work on what is younger.
SECONDS_OF_WRITING = 24 * 3600.0


@dataclass
class Found:
    """What the folder of a kind holds. `useless` are files by the reason why they can go."""

    entries: list[Entry] = field(default_factory=list)
    useless: dict[str, list[File]] = field(default_factory=dict)
    being_written: list[File] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.entries)

    @property
    def rest(self) -> list[File]:
        """Files of no entry, of use or not."""
        return [*(f for files in self.useless.values() for f in files), *self.being_written]


@dataclass(frozen=True)
class Inventory:
    """The kinds that the table has, and what else is in the cache folder."""

    folder: Path
    kinds: dict[str, Found]
    others: tuple[Path, ...]

    @property
    def unknown(self) -> list[Path]:
        return sorted([*self.others, *(p for found in self.kinds.values() for p in found.unknown)])

    def useless(self) -> Iterator[tuple[str, str, Sequence[File]]]:
        """(kind, reason, files)."""
        for name, found in self.kinds.items():
            yield from ((name, reason, files) for reason, files in found.useless.items())


def take_inventory() -> Inventory:
    """Links are not followed: what they lead to is not in the cache.

    Raises BadInput if the cache is no folder, or cannot be read.
    """
    folder = cache_folder()
    names = _names(folder)
    own = [name for name in names if name in KINDS and _is_folder(folder / name)]
    others = tuple(folder / name for name in names if name not in own)
    return Inventory(folder, {name: _found(KINDS[name], folder / name) for name in own}, others)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BadInput(f"the cache folder {folder} cannot be read: {error.strerror}") from error


def lists_of_features(inventory: Inventory) -> list[Entry]:
    """They are void where features are removed: the next run that reads features lists them."""
    return inventory.kinds["extracted"].entries if "extracted" in inventory.kinds else []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _found(kind: Kind, folder: Path) -> Found:
    found, entries = Found(), dict[str, list[File]]()
    for path in _files(folder):
        file = found_file(path)
        below = path.relative_to(folder).as_posix()
        name = kind.entry_of(below)
        if file is None:
            if os.path.lexists(path):
                found.unknown.append(path)
        elif TEMPORARY.fullmatch(path.name):
            _sort_unfinished(found, "temporary files of interrupted writers", [file])
        elif name is not None:
            entries.setdefault(name, []).append(file)
        elif earlier := _of_earlier_version(kind, below, file):
            found.useless.setdefault(earlier, []).append(file)
        else:
            found.unknown.append(path)
    for name, files in entries.items():
        entry = Entry(name, tuple(files))
        if missing := [some for some in kind.needs if not any(map(entry.ending, some))]:
            _sort_unfinished(found, f"parts of entries without {missing[-1][0]}", files)
        else:
            found.entries.append(entry)
    return found


def _files(folder: Path) -> Iterator[Path]:
    """All that is no folder, and links to folders."""
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        yield from (Path(place) / name for name in sorted([*names, *links]))


def _of_earlier_version(kind: Kind, below: str, file: File) -> str | None:
    for layout, what in kind.earlier:
        if re.fullmatch(layout, below):
            return what if kind.name != "hashes" or file.bytes == OLD_HASH_BYTES else None
    return None


def _sort_unfinished(found: Found, reason: str, files: Sequence[File]) -> None:
    """Of no use, unless a writer may still add to it."""
    newest = max(file.found.st_mtime for file in files)
    if time.time() - newest > SECONDS_OF_WRITING:
        found.useless.setdefault(reason, []).extend(files)
    else:
        found.being_written += files
