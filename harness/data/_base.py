"""What the file-based image datasets share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from harness.data._images import open_rgb
from harness.errors import DataError, did_you_mean, nearest
from harness.types import Items


@dataclass(frozen=True)
class ImageFiles:
    """Pictures below `root`; an item's id is its path relative to it."""

    root: Path
    classes: tuple[str, ...]
    train: Items
    test: Items
    manifest: str
    parts: Mapping[str, Sequence[int]]

    def part(self, name: str) -> Sequence[int]:
        if name == "all":
            return range(len(self.classes))
        if name not in self.parts:
            known = ["all", *self.parts]
            raise DataError(
                f"classes.from: the dataset has no part '{name}'; allowed: {', '.join(known)}"
                + did_you_mean(nearest(name, known))
            )
        return self.parts[name]

    def image(self, item: str) -> Image.Image:
        return open_rgb(self.root / item)


def manifest(root: Path, labelled: Iterable[tuple[str, str]]) -> str:
    """sha256 over relative path, size and label of every item: cheap, and moves with the folder."""
    lines = sorted(f"{item}|{(root / item).stat().st_size}|{label}" for item, label in labelled)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
