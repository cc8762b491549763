"""Which items of a data set cannot be read, found by reading them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import DataError
from harness.sampling.sets import picture_hash

if TYPE_CHECKING:
    from PIL import Image

    Read = Callable[[str], Image.Image]

#: How long other items are read after one could not be, so that the error counts them.
SECONDS = 20.0
#: How many items a message names.
NAMED = 5
AT_ONCE = 4096


@dataclass(frozen=True)
class Unreadable:
    """Why an item cannot be read."""

    reason: str


def first_few(items: Iterable[str]) -> str:
    """The first few of `items`, for a message."""
    listed = list(items)
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")


def unreadable(
    read: Read, items: Sequence[str], seconds: float = math.inf
) -> tuple[dict[str, str], bool]:
    """Items that cannot be read, with their reasons; and whether there was time for all."""
    hashes = scan(read, items, seconds)
    reasons = {i: h.reason for i, h in hashes.items() if isinstance(h, Unreadable)}
    return reasons, len(hashes) == len(items)


def scan(
    read: Read, items: Sequence[str], seconds: float = math.inf
) -> dict[str, str | Unreadable]:
    """Hash of every picture, or why there is none; of fewer items where the time ends first."""
    return hash_items(lambda item: picture_hash(read(item)), items, seconds)


def hash_items(
    hash_of: Callable[[str], str],
    items: Sequence[str],
    seconds: float = math.inf,
    done: Callable[[int], object] = lambda _: None,
) -> dict[str, str | Unreadable]:
    """Hash of every item, or why there is none; of fewer where the time ends first. `done` is told
    the number of items that were read.
    """
    end = time.monotonic() + seconds

    def read_one(item: str) -> str | Unreadable | None:
        if time.monotonic() > end:
            return None
        try:
            return hash_of(item)
        except DataError as error:
            return Unreadable(str(error))

    hashes: dict[str, str | Unreadable] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), AT_ONCE):  # a million futures would fill the memory
            part = items[start : start + AT_ONCE]
            for number, (item, h) in enumerate(zip(part, pool.map(read_one, part), strict=True)):
                if h is not None:
                    hashes[item] = h
                done(start + number + 1)
    return hashes
