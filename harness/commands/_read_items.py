"""What `data check` finds by reading items: damage, and the same content twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.data._scan import Unreadable, hash_items
from harness.sampling.overlap import Contents, Pair, Sample, counted, in_two_classes

if TYPE_CHECKING:
    from harness.core.protocols.dataset import Dataset
    from harness.core.samples import Items

#: How many pairs the JSON document names.
MOST_PAIRS = 20


@dataclass(frozen=True)
class ReadItems:
    """Items that were read completely, and what was found."""

    files: int  # that were read; the rows of precomputed features are no files
    not_checked: int  # items that are there and were not read
    unreadable: dict[str, str]  # item -> reason
    train_test: Sequence[Pair]
    two_classes: Sequence[Pair]

    def overlaps(self) -> list[str]:
        """Sentences on items with the same content."""
        found = []
        if self.train_test:
            found.append(f"test items that are training items as well: {counted(self.train_test)}")
        if self.two_classes:
            found.append(f"items whose content is under two classes: {counted(self.two_classes)}")
        return found

    def plain(self) -> dict[str, Any]:
        """The pairs as JSON data."""
        both = {"train_test": self.train_test, "two_classes": self.two_classes}
        return {
            name: {"count": len(pairs), "pairs": [_plain(pair) for pair in pairs[:MOST_PAIRS]]}
            for name, pairs in both.items()
        }


def read_items(
    data: Dataset,
    missing: Sequence[str],
    size: int | None,
    progress: Callable[[int, int], object],
) -> ReadItems:
    """Read every item that is not `missing`, or a sample of so many.

    Pictures are compared by their pixels, videos by the bytes of their files or frames, precomputed
    features by their numbers.
    """
    from harness.core.seeding import numpy_stream

    absent = set(missing)
    items = [item for item in (*data.train.ids, *data.test.ids) if item not in absent]
    chosen = items
    if size is not None and data.kind != "features":  # those were all read when it was opened
        drawn = numpy_stream(0, "data check").permutation(len(items))[:size]
        chosen = [items[i] for i in sorted(drawn.tolist())]
    hashes = hash_items(
        _hash_of(data), chosen, done=lambda n: data.kind != "features" and progress(n, len(chosen))
    )
    train, test = (_samples(data, split, hashes) for split in (data.train, data.test))
    return ReadItems(
        files=0 if data.kind == "features" else len(chosen),
        not_checked=len(items) - len(chosen),
        unreadable={i: h.reason for i, h in hashes.items() if isinstance(h, Unreadable)},
        train_test=list(Contents(train).pairs(test)),
        two_classes=in_two_classes([*train, *test]),
    )


def _hash_of(data: Dataset) -> Callable[[str], str]:
    """What makes the hash of an item, and reads all of it."""
    from harness.sampling.sets import picture_hash

    if data.kind == "features":
        return data.fingerprint
    if data.kind == "pictures":
        return lambda item: picture_hash(data.read_whole(item))

    def of_clip(item: str) -> str:
        data.read_whole(item)
        return data.fingerprint(item)

    return of_clip


def _samples(data: Dataset, split: Items, hashes: dict[str, str | Unreadable]) -> list[Sample]:
    pairs = zip(split.ids, split.labels.tolist(), strict=True)
    return [
        Sample(item, data.classes[label], (h, None))
        for item, label in pairs
        if isinstance(h := hashes.get(item), str)
    ]


def _plain(pair: Pair) -> list[dict[str, str]]:
    return [{"item": s.item, "class": s.name} for s in (pair.one, pair.other)]
