"""Items with equal pixels, by reading all of them: what draws of sets are checked with."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.protocols.dataset import Dataset
from harness.sampling.sets import picture_hash


def duplicates(
    dataset: Dataset, items: Sequence[str], others: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """(earlier, later) pairs of items with equal pixels, in `items` followed by `others`. A support
    set and its test set should have none.
    """
    first: dict[str, str] = {}
    pairs = []
    for item in (*items, *others):
        content = picture_hash(dataset.image(item))
        if content in first:
            pairs.append((first[content], item))
        first.setdefault(content, item)
    return pairs
