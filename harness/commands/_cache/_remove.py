"""Removing files of the cache, and the folders that become empty."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.commands._cache._entry import File
from harness.commands._cache._text import several, shown, size


@dataclass
class Removal:
    """Files that were removed, or with `dry` would be, and those that could not be."""

    folder: Path
    dry: bool = False
    files: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def verb(self) -> str:
        return "would remove" if self.dry else "removed"

    @property
    def summary(self) -> str:
        return f"{several(self.files, 'file', 'files')}, {size(self.bytes)}"

    def remove(self, file: File) -> None:
        """One that a writer has replaced meanwhile stays."""
        try:
            if not self.dry and not file.remove():
                return
        except OSError as error:
            self.failed.append(f"{shown(file.path)}: {error.strerror or error}")
            return
        self.files += 1
        self.bytes += file.bytes
        if not self.dry:
            self._remove_empty(file.path.parent)

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {"files": self.files, "bytes": self.bytes, "failed": self.failed}

    def print_failed(self) -> None:
        for line in self.failed:
            print(f"cannot be removed: {line}")

    def _remove_empty(self, place: Path) -> None:
        """The folders of an entry; those of kinds stay."""
        with contextlib.suppress(OSError):  # it is not empty
            while place.parent not in (self.folder, place):
                place.rmdir()
                place = place.parent
