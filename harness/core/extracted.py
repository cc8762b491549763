"""Which items have features in the cache, by name: so that a plan can tell without reading data.

CACHE/extracted/<hash>.npy holds sorted checksums of names. The features themselves are found by
what the items contain; this list is for estimates alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cells import Choice
from harness.core.errors import DiskFull, OutputError
from harness.core.files import cache_folder, write_atomically
from harness.core.hashing import digest

if TYPE_CHECKING:
    import numpy.typing as npt

    Checksums = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Extracted:
    """Features of a data set by an encoder, with a number of frames and views.

    `folder` is where the features are: without it the list is void.
    """

    dataset: Choice
    folder: Path
    frames: int | None
    view: tuple[Any, ...]

    def missing(self, items: Sequence[str]) -> int:
        """How many of `items` have no features yet."""
        return int((~np.isin(_checksums(items), self._known())).sum())

    def remember(self, items: Iterable[str]) -> None:
        """Note that these have features now. Nothing happens where the cache cannot be written."""
        both = np.union1d(self._known(), _checksums(items))
        with suppress(DiskFull, OutputError):
            write_atomically(self._path, lambda f: np.save(f, both))

    def _known(self) -> Checksums:
        if not self.folder.is_dir():
            return np.zeros(0, np.uint32)
        try:
            known: Any = np.load(self._path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return np.zeros(0, np.uint32)
        return np.asarray(known, dtype=np.uint32)

    @property
    def _path(self) -> Path:
        content = [self.dataset.plain(), self.folder.name, self.frames, list(self.view)]
        return cache_folder() / "extracted" / f"{digest(content, 32)}.npy"


def _checksums(items: Iterable[str]) -> Checksums:
    names = (item.encode(errors="surrogateescape") for item in items)
    return np.fromiter((zlib.crc32(name) for name in names), dtype=np.uint32)
