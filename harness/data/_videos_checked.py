"""Videos that are not there or cannot be read: counted, named, left out where that is declared."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cache import cache_folder, write_atomically
from harness.data._checked import _without
from harness.data._corrupt import named, unreadable
from harness.data.folder import file_times
from harness.errors import DataError
from harness.types import digest

if TYPE_CHECKING:
    from harness.data.video import Videos


def without_unreadable(data: Videos, limit: float, missing: Sequence[str]) -> Videos:
    """`data` without the videos that are `missing`, damaged or too short.

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
    wrong = [*missing, *_unreadable(data, there)]
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
        f"shorter than {data.options.min_frames} frames ({named(wrong)}); max_corrupt: {limit}."
    )
    return replace(
        data,
        train=_without(data.train, gone),
        test=_without(data.test, gone),
        manifest=digest([data.manifest, sorted(gone)], 64),
        notes=(*data.notes, note),
    )


def _unreadable(data: Videos, items: Sequence[str]) -> list[str]:
    """Items of which a frame cannot be decoded, remembered."""
    times = file_times(data.root, items)
    address = digest([data.manifest, times, data.options.min_frames], 32)
    path = cache_folder() / "corrupt" / f"{address}.json"
    if path.is_file():
        try:
            return [str(item) for item in json.loads(path.read_bytes())["videos"]]
        except (ValueError, KeyError, TypeError):
            pass  # damaged: looked at again, and written over
    found, _ = unreadable(data.read_whole, items)
    text = json.dumps({"videos": list(found)}).encode()
    write_atomically(path, lambda f: f.write(text))
    return list(found)
