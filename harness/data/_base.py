"""What the file-based image datasets share."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
from PIL import Image

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.protocols.dataset import Kind
from harness.core.samples import Items
from harness.data._corrupt import SECONDS, named, unreadable
from harness.data._images import open_rgb

#: (id, index of the class, group or '') of every item of a split
Rows = list[tuple[str, int, str]]

Found = TypeVar("Found")


@dataclass(frozen=True)
class ImageFiles:
    """Pictures below `root`; an item's id is its path relative to it."""

    kind: ClassVar[Kind] = "pictures"
    root: Path
    classes: tuple[str, ...]
    train: Items
    test: Items
    manifest: str
    parts: Mapping[str, Sequence[int]]
    val: Items | None = None  # kept apart: neither trained on nor tested
    notes: tuple[str, ...] = ()  # what a reader of a report should know
    reference: str = ""  # as a task names it; the researcher's own data have one

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
        """The picture. Of the researcher's own data the error says how many cannot be read."""
        return self._told(self.read, item)

    def fingerprint(self, item: str) -> str:
        """sha256 of the encoded picture, whatever file or row holds it."""
        return self._told(self.content_hash, item)

    def read(self, item: str) -> Image.Image:
        return open_rgb(self.root / item)

    def content_hash(self, item: str) -> str:
        return bytes_hash(self.root / item)

    def _told(self, look: Callable[[str], Found], item: str) -> Found:
        try:
            return look(item)
        except DataError as error:
            if not self.reference:
                raise
            raise DataError(f"{error}{self._how_many}") from error

    @cached_property
    def _how_many(self) -> str:
        """Looked for once one picture was met that cannot be read: opening stays cheap."""
        items = (*self.train.ids, *self.test.ids)
        found, whole = unreadable(self.read, items, SECONDS)
        count = f"{'' if whole else 'at least '}{len(found)} of the {len(items)} pictures"
        return (
            f"; {count} of {self.reference} cannot be read: {named(found)}. Mend or remove "
            "them, or let a share of them be left out with the option max_corrupt"
        )


def bytes_hash(path: Path) -> str:
    """sha256 of a picture's file, remembered while its size and time stay.

    Raises DataError if it cannot be read.
    """
    try:
        stat = path.stat()
        return _bytes_hash(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise DataError(f"picture {path} cannot be read: {error.strerror}") from error


@cache
def _bytes_hash(path: Path, size: int, time: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def manifest(root: Path, rows: Iterable[tuple[str, str, str, str]]) -> str:
    """sha256 over split, relative path, size, label and group of every item: cheap, and moves
    with the folder.

    `rows` are (split, path, label, group or '').
    """
    return lines_hash(
        f"{split}|{item}|{(root / item).stat().st_size}|{label}|{group}"
        for split, item, label, group in rows
    )


def lines_hash(lines: Iterable[str]) -> str:
    """sha256 over lines, whatever their order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def items_of(rows: Rows) -> Items:
    """A row without a group is a group of its own."""
    groups: dict[str, int] = {}
    numbers = [groups.setdefault(group or item, len(groups)) for item, _, group in rows]
    labels = np.array([label for _, label, _ in rows], dtype=np.int64)
    return Items(tuple(item for item, _, _ in rows), labels, np.array(numbers, dtype=np.int64))


def apart_note(items: Items | None, reference: str, split: str) -> tuple[str, ...]:
    """The note of a report on a split that plays no part."""
    if items is None or not items.ids:
        return ()
    return (
        f"Pictures of {reference} in its split '{split}', which is neither trained on nor "
        f"tested: {len(items.ids)}.",
    )


def refuse_twins(names: Sequence[str], where: object) -> None:
    """Names that a text encoder would read as one are almost always a slip."""
    seen: dict[str, str] = {}
    for name in names:
        one_form = unicodedata.normalize("NFKC", name).casefold()
        plain = " ".join(one_form.replace("_", " ").split())
        if plain in seen:
            raise DataError(f"duplicate class names in {where}: '{seen[plain]}' and '{name}'")
        seen[plain] = name
