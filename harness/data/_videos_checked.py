"""Videos that are not there or cannot be read: counted, named, left out where that is declared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.errors import DataError
from harness.core.files import cache_folder, write_atomically
from harness.core.hashing import digest
from harness.data._base import ImageFiles
from harness.data._checked import Data, _without
from harness.data._corrupt import named, unreadable
from harness.data.folder import file_times

if TYPE_CHECKING:
    from PIL import Image


def without_unreadable(
    data: Data,
    limit: float,
    missing: Sequence[str],
    *,
    read_whole: Callable[[str], Image.Image],
    min_frames: int,
) -> Data:
    """`data` without the videos that are `missing`, or that `read_whole` cannot read: damaged, or
    shorter than `min_frames`.

    Every video is decoded once, and the outcome remembered while size and time of all files stay.
    A limit of 0 decodes nothing, and lets nothing be missing.

    Raises DataError if more than `limit` (a number, or a share below 1) cannot be used.
    """
    items = (*data.train.ids, *data.test.ids)
    allowed = limit if isinstance(limit, int) else math.floor(round(limit * len(items), 6))
    if len(missing) > allowed:
        raise DataError(
            f"{len(missing)} of the {len(items)} videos that {data.reference} lists are not "
            f"there; the first: {data.root / missing[0]}"
        )
    if not limit:
        return data
    there = [item for item in items if item not in set(missing)]
    wrong = [*missing, *_unreadable(data, there, read_whole, min_frames)]
    if len(wrong) > allowed:
        raise DataError(
            f"{len(wrong)} of the {len(items)} videos of {data.reference} cannot be read, more "
            f"than max_corrupt: {limit} allows: {named(wrong)}"
        )
    if not wrong:
        return data
    gone = set(wrong)
    note = (
        f"Left out of training and test: {len(wrong)} of the {len(items)} videos of "
        f"{data.reference}, {len(missing)} not there and {len(wrong) - len(missing)} damaged or "
        f"shorter than {min_frames} frames ({named(wrong)}); max_corrupt: {limit}."
    )
    return replace(
        data,
        train=_without(data.train, gone),
        test=_without(data.test, gone),
        manifest=digest([data.manifest, sorted(gone)], 64),
        notes=(*data.notes, note),
    )


def _unreadable(
    data: ImageFiles,
    items: Sequence[str],
    read_whole: Callable[[str], Image.Image],
    min_frames: int,
) -> list[str]:
    """Items of which a frame cannot be decoded, remembered."""
    times = file_times(data.root, items)
    address = digest([data.manifest, times, min_frames], 32)
    path = cache_folder() / "corrupt" / f"{address}.json"
    if path.is_file():
        try:
            return [str(item) for item in json.loads(path.read_bytes())["videos"]]
        except (ValueError, KeyError, TypeError):
            pass  # damaged: looked at again, and written over
    found, _ = unreadable(read_whole, items)
    text = json.dumps({"videos": list(found)}).encode()
    write_atomically(path, lambda f: f.write(text))
    return list(found)
