"""Folders of extracted frames: their pictures in order, as many as their list says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.core.errors import DataError
from harness.core.identity import Identity, identity
from harness.data._images import EXTENSIONS, picture_suffixes
from harness.data._listing import entries


@dataclass(frozen=True)
class FrameFolders:
    """Items that are folders of frames. `counted` is how many frames the list says that each has;
    `name` is that of a frame, as img_{:05d}.jpg, where the folder has other pictures as well.
    """

    root: Path
    counted: Mapping[str, int]
    name: str | None

    def files(self, item: str) -> tuple[Path, ...]:
        """The frames of an item in order.

        Raises DataError if there are more or fewer than its list says.
        """
        folder, count = self.root / item, self.counted[item]
        files = self._named(folder, count) if self.name else frame_files(folder)
        if len(files) != count:
            more = "at least " if self.name and len(files) > count else ""
            raise DataError(
                f"the folder {folder} holds {more}{len(files)} frames; its list says {count}"
            )
        return files

    def _named(self, folder: Path, count: int) -> tuple[Path, ...]:
        """The frames of the given name, and one more where it is there."""
        files = (folder / str(self.name).format(number) for number in range(1, count + 2))
        return tuple(file for file in files if os.path.lexists(file))


def frame_files(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in the order of their numbers, listed once while it is the same.

    Raises DataError if the folder cannot be read, a name has no number, or two the same.
    """
    try:
        return _listed(folder, identity(folder))
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=256)
def _listed(folder: Path, _state: Identity) -> tuple[Path, ...]:
    present = entries(folder)
    # Pictures of rarer kinds may be a by-product: they are frames where there are no others.
    usual, readable = (
        [path for path in present if path.suffix.lower() in suffixes]
        for suffixes in (EXTENSIONS, picture_suffixes())
    )
    files = usual or readable
    numbered = {int(n[-1]): p for p in files if (n := re.findall(r"\d+", p.stem))}
    if len(numbered) < len(files):
        raise DataError(f"the frames in {folder} are not numbered, each with its own number")
    return tuple(numbered[number] for number in sorted(numbered))
