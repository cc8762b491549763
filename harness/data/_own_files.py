"""A data set that the researcher brought: keys hold the bytes of the items that a task uses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from harness.core.errors import DataError
from harness.core.hashes import Hashes, Progress, Unhashed, hashes_below
from harness.core.hashing import digest
from harness.core.protocols.dataset import Used
from harness.core.samples import Items
from harness.core.text_files import special
from harness.data._image_files import ImageFiles

if TYPE_CHECKING:
    from harness.core.hashes import Digests

Value = TypeVar("Value")
#: Raised when the hash over equal bytes changes.
REVISION = "bytes 1"


@dataclass(frozen=True)
class OwnFiles(ImageFiles):
    """Pictures below `root`, hashed by their bytes.

    The hash of an item is remembered in the cache folder while its file is the same. `manifest` is
    over names and sizes, as keys were before they held the bytes.
    """

    #: (split, class) -> hash over its items, of those that were asked for.
    _of_class: dict[tuple[str, int], str] = field(default_factory=dict, repr=False, compare=False)

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """Hash over name, bytes and group of every item of the classes that are used.

        Raises DataError for an item that cannot be read.
        """
        wanted = [(split, c) for split in sorted(used) for c in used[split]]
        missing = [each for each in wanted if each not in self._of_class]
        if missing:
            self._read_classes(missing, progress)
        parts = [[split, self.classes[c], self._of_class[split, c]] for split, c in wanted]
        return digest([REVISION, parts], 64)

    def unhashed(self, used: Used) -> Unhashed:
        """What `content` would read. Raises DataError for an item that is not there."""
        wanted = [(split, c) for split in used for c in used[split]]
        items = [item for _, rows in self._rows(wanted).items() for item in rows[0]]
        return self._explained(lambda: self.items_unhashed(items))

    def content_hash(self, item: str) -> str:
        """sha256 of the bytes of an item."""
        (sha_32,) = self._explained(lambda: self.item_hashes([item]))
        return bytes(sha_32).hex()

    def item_hashes(self, items: Sequence[str], progress: Progress | None = None) -> Digests:
        """(N, 32): sha256 of the bytes of every item.

        Raises OSError or DataError for one that cannot be read.
        """
        return self.remembered.of(items, progress)

    def items_unhashed(self, items: Sequence[str]) -> Unhashed:
        """Which of the items `item_hashes` would read."""
        return self.remembered.unhashed(items)

    @cached_property
    def remembered(self) -> Hashes:
        """The hashes of the files below `root`."""
        return hashes_below(self.root)

    def _read_classes(self, wanted: Sequence[tuple[str, int]], progress: Progress | None) -> None:
        rows = self._rows(wanted)
        items = [item for ids, _, _ in rows.values() for item in ids]
        sha_N32 = self._explained(lambda: self.item_hashes(items, progress))
        start = 0
        for split, (ids, label_N, groups) in rows.items():
            of_split_N32 = sha_N32[start : start + len(ids)]
            start += len(ids)
            order = np.argsort(label_N, kind="stable")
            classes = [c for each, c in wanted if each == split]
            bounds = np.searchsorted(label_N[order], [[c, c + 1] for c in classes])
            for c, (first, last) in zip(classes, bounds.tolist(), strict=True):
                lines = sorted(
                    f"{ids[n]}\0{of_split_N32[n].tobytes().hex()}\0{groups[n]}\0"
                    for n in order[first:last].tolist()
                )
                content = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape"))
                self._of_class[split, c] = content.hexdigest()

    def _rows(
        self, wanted: Sequence[tuple[str, int]]
    ) -> dict[str, tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]], list[str]]]:
        """Split -> ids, labels and groups of the items of these classes."""
        found = {}
        for split in dict.fromkeys(split for split, _ in wanted):
            items = self._split(split)
            at_N = np.flatnonzero(np.isin(items.labels, [c for s, c in wanted if s == split]))
            names = _group_names(items)
            chosen = at_N.tolist()
            groups = [names[n] for n in chosen] if names else [""] * len(chosen)
            found[split] = ([items.ids[n] for n in chosen], items.labels[at_N], groups)
        return found

    def _split(self, name: str) -> Items:
        splits = {"train": self.train, "test": self.test, "val": self.listed("val")}
        return splits[name]

    def _explained(self, read: Callable[[], Value]) -> Value:
        try:
            return read()
        except OSError as error:
            kind = special(Path(error.filename or ""))
            reason = f"it is {kind}" if kind else error.strerror or str(error)
            name = f"{self.noun[:-1]} {error.filename}"
            raise DataError(f"{name} cannot be read: {reason}") from error


def _group_names(items: Items) -> list[str]:
    """For every item the first item of its group by name, '' for a group of one; [] if all are.

    Numbers of groups depend on the order in which items are listed, names do not.
    """
    if len(np.unique(items.groups)) == len(items.ids):
        return []
    members: dict[int, list[str]] = {}
    numbers = items.groups.tolist()
    for item, group in zip(items.ids, numbers, strict=True):
        members.setdefault(group, []).append(item)
    names = {group: min(ids) if len(ids) > 1 else "" for group, ids in members.items()}
    return [names[group] for group in numbers]
