"""A data set of picture files, which most data sets of this folder are or extend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar, TypeVar, cast

from PIL import Image

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.hashes import Progress, Unhashed
from harness.core.protocols.dataset import Dataset, Kind, Used
from harness.core.samples import Items
from harness.data._files import bytes_hash
from harness.data._images import open_rgb
from harness.data._scan import SECONDS, first_few, unreadable

Value = TypeVar("Value")
Open = TypeVar("Open", bound=Callable[..., Dataset])


def opened_once(open_dataset: Open) -> Open:
    """`open_dataset`, called once for equal options: for data that come with a package. Data of the
    researcher are opened anew by every plan, as they may have changed.

    It is functools.cache with the signature kept, so that mypy sees it.
    """
    return cast(Open, cache(open_dataset))


@dataclass(frozen=True)
class ImageFiles:
    """Pictures below `root`; an item's id is its path relative to it."""

    kind: ClassVar[Kind] = "pictures"
    #: What messages call the items.
    noun: ClassVar[str] = "pictures"
    root: Path
    classes: tuple[str, ...]
    train: Items
    test: Items
    #: The manifest, or how to make it, where keys seldom need it.
    manifest_of: str | Callable[[], str]
    parts: Mapping[str, Sequence[int]]
    val: Items | None = None  # read only where a task asks for it
    notes: tuple[str, ...] = ()  # what a reader of a report should know
    problems: tuple[str, ...] = ()  # why it is refused; `data check` reads the rest all the same
    reference: str = ""  # as a task names it; the researcher's own data have one
    listed_train: Items | None = None  # with the items that `train` leaves out as damaged

    @cached_property
    def manifest(self) -> str:
        """Hash over the names and sizes of all items."""
        return self.manifest_of if isinstance(self.manifest_of, str) else self.manifest_of()

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """The manifest: data of a package have changed if a size has."""
        return self.manifest

    def unhashed(self, used: Used) -> Unhashed:
        """Nothing."""
        return Unhashed()

    def part(self, name: str) -> Sequence[int]:
        """Indices of the classes of a named part. DataError for one that there is not."""
        if name == "all":
            return range(len(self.classes))
        if name not in self.parts:
            known = ["all", *self.parts]
            raise DataError(
                f"classes.from: the dataset has no part '{name}'; allowed: {', '.join(known)}"
                + did_you_mean(nearest(name, known))
            )
        return self.parts[name]

    def listed(self, split: str) -> Items:
        """`train` or `val` in the order of the data set, with the items left out as damaged."""
        if split == "train":
            return self.listed_train or self.train
        return self.val or self.train.first(0)

    def image(self, item: str) -> Image.Image:
        """The picture. Of the researcher's own data the error says how many cannot be read."""
        return self._counting(self.read, item)

    def fingerprint(self, item: str) -> str:
        """sha256 of the encoded picture, whatever file or row holds it."""
        return self._counting(self.content_hash, item)

    def read(self, item: str) -> Image.Image:
        """Like `image`, with an error that counts no others."""
        return open_rgb(self.root / item)

    def read_whole(self, item: str) -> Image.Image:
        """Like `read`, and every byte of the item is read: damage is found."""
        return self.read(item)

    def content_hash(self, item: str) -> str:
        """Like `fingerprint`, with an error that counts no others."""
        return bytes_hash(self.root / item)

    def _counting(self, read: Callable[[str], Value], item: str) -> Value:
        """What `read` gives; its error says how many items cannot be read, and what to do."""
        try:
            return read(item)
        except DataError as error:
            if not self.reference:
                raise
            raise DataError(f"{error}{self._how_many}") from error

    @cached_property
    def _how_many(self) -> str:
        """Counted once one item could not be read, so that opening stays cheap."""
        items = (*self.train.ids, *self.test.ids)
        reasons, all_were_read = unreadable(self.read_whole, items, SECONDS)
        at_least = "" if all_were_read else "at least "
        return (
            f"; {at_least}{len(reasons)} of the {len(items)} {self.noun} of {self.reference} "
            f"cannot be read: {first_few(reasons)}. Fix or remove them, or let a share of them be "
            "left out with the option max_corrupt"
        )
