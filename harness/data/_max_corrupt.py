"""Items that cannot be read: counted, named, left out where that is declared, never replaced.

The outcome of reading a data set is kept in the cache, under all that says whether its files are
still the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, field_validator

from harness.core.cache import cached_json
from harness.core.errors import DataError
from harness.core.hashing import digest
from harness.core.problems import Problems, and_more
from harness.core.samples import Items
from harness.core.text_files import special as special_kind
from harness.data._image_files import ImageFiles
from harness.data._listing import NO_TEXT_NAME
from harness.data._scan import Unreadable, scan, unreadable

if TYPE_CHECKING:
    from PIL import Image

Data = TypeVar("Data", bound=ImageFiles)


class PictureOptions(BaseModel):
    """max_corrupt: how many pictures (a whole number), or which share of them (below 1), may be
    unreadable; they are left out, counted and named. 0: none may.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_corrupt: int | float = 0

    @field_validator("max_corrupt", mode="before")
    @classmethod
    def _number_or_share(cls, value: Any) -> Any:
        # pydantic would take True for 1, and "3" for 3.
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_number and not (isinstance(value, float) and 0 <= value < 1):
            raise ValueError("must be a number of pictures (0, 1, 2, ...) or a share below 1")
        return value


def without_corrupt_pictures(
    data: Data, limit: float, address: Any, special: Mapping[str, str]
) -> Data:
    """`data` without the pictures that cannot be read.

    `special` are files that are named like pictures and are not regular, with what they are. They
    are no items of `data`; they count as pictures that cannot be read, and are never opened.

    Every picture is read once, and the outcome kept under `address`: JSON data that change when a
    file does. A limit of 0 reads nothing, and allows no special file. Pictures that are both in
    training and in test are found on the way; they stay, with a note.

    Raises DataError if more than `limit` (a number, or a share below 1) cannot be read.
    """
    items = (*data.train.ids, *data.test.ids)
    if not limit:
        _refuse_special(data, special)
        return data
    address = digest([data.train.ids, data.test.ids, address], 32)
    outcome = _kept(address, lambda: _read_pictures(data), ("corrupt", "twins"))
    corrupt: list[str] = outcome["corrupt"]
    named = [*_named(special), *corrupt]
    total = len(items) + len(special)
    count = f"{len(named)} of the {total} pictures of {data.reference}"
    if len(named) > _allowed(limit, total):
        raise DataError(
            f"{count} cannot be read, more than max_corrupt: {limit} allows: {and_more(named)}"
        )
    notes = []
    if named:
        notes.append(
            f"Left out of training and test, as they cannot be read: {count} "
            f"({and_more(named)}); max_corrupt: {limit}."
        )
    if outcome["twins"]:
        pairs = [f"{test} = {train}" for train, test in outcome["twins"]]
        notes.append(
            f"Test pictures of {data.reference} that are training pictures as well, pixel for "
            f"pixel: {len(pairs)} ({and_more(pairs)})."
        )
    return _without(data, corrupt, notes)


def without_unreadable_videos(
    data: Data,
    limit: float,
    missing: Mapping[str, str],
    *,
    read_whole: Callable[[str], Image.Image],
    min_frames: int,
    state: Callable[[Sequence[str]], Any],
) -> Data:
    """`data` without the videos that are `missing` (not there, or not to be opened, with where they
    are listed or what they are), or that `read_whole` cannot read: damaged, or shorter than
    `min_frames`.

    Every video is decoded once, and the outcome kept while the `state` of all is the same. A limit
    of 0 decodes nothing, and lets nothing be missing.

    Raises DataError if more than `limit` (a number, or a share below 1) cannot be used.
    """
    items = (*data.train.ids, *data.test.ids)
    allowed = _allowed(limit, len(items))
    kinds = {item: kind for item in missing if (kind := _never_opened(data, item, missing))}
    absent = [item for item in missing if item not in kinds]
    if len(missing) > allowed:
        states = ["are not there"] * bool(absent) + ["cannot be opened"] * bool(kinds)
        places = (
            f"{data.root / item}{f' ({why})' if why else ''}" for item, why in missing.items()
        )
        raise DataError(
            f"{len(missing)} of the {len(items)} videos that {data.reference} lists "
            f"{' or '.join(states)}: {and_more(places)}"
        )
    if not limit:
        return data
    there = [item for item in items if item not in set(missing)]
    address = digest([data.train.ids, data.test.ids, state(there), min_frames], 32)
    outcome = _kept(
        address, lambda: {"videos": list(unreadable(read_whole, there)[0])}, ("videos",)
    )
    unusable: list[str] = [*missing, *outcome["videos"]]
    if len(unusable) > allowed:
        raise DataError(
            f"{len(unusable)} of the {len(items)} videos of {data.reference} cannot be read, more "
            f"than max_corrupt: {limit} allows: {and_more(unusable)}"
        )
    named = [*absent, *_named(kinds), *outcome["videos"]]
    irregular = f", {len(kinds)} that cannot be opened" if kinds else ""
    note = (
        f"Left out of training and test: {len(unusable)} of the {len(items)} videos of "
        f"{data.reference}, {len(absent)} not there{irregular} and "
        f"{len(outcome['videos'])} damaged or shorter than {min_frames} frames "
        f"({and_more(named)}); max_corrupt: {limit}."
    )
    return _without(data, unusable, [note] if unusable else [])


def _never_opened(data: ImageFiles, item: str, missing: Mapping[str, str]) -> str:
    """What a video is that is never opened; '' for one that is not there."""
    return NO_TEXT_NAME if missing[item] == NO_TEXT_NAME else special_kind(data.root / item)


def usable_pictures(
    data: Data, limit: float, address: Any, special: Mapping[str, str], problems: Problems
) -> Data:
    """Like `without_corrupt_pictures`, but tells as problems what that refuses."""
    try:
        return without_corrupt_pictures(data, limit, address, special)
    except DataError as error:
        problems.add_error("unusable", error)
        return data


def _refuse_special(data: ImageFiles, special: Mapping[str, str]) -> None:
    if special:
        total = len(data.train.ids) + len(data.test.ids) + len(special)
        named = (f"{data.root / path} ({kind})" for path, kind in sorted(special.items()))
        raise DataError(
            f"{len(special)} of the {total} pictures of {data.reference} cannot be opened: "
            f"{and_more(named)}. Remove or rename them, or let a share of them be left out with "
            "the option max_corrupt"
        )


def _named(special: Mapping[str, str]) -> list[str]:
    """'train/oak/1.png (a FIFO)', ..."""
    return [f"{path} ({kind})" for path, kind in sorted(special.items())]


def _allowed(limit: float, items: int) -> int:
    """How many items may be unusable. Rounded, as 0.29 * 100 is a little below 29."""
    return limit if isinstance(limit, int) else math.floor(round(limit * items, 6))


def _without(data: Data, unusable: Collection[str], notes: Sequence[str]) -> Data:
    """`data` without some items, and with notes. Without items it has another manifest."""
    data = replace(data, notes=(*data.notes, *notes))
    if not unusable:
        return data
    excluded = set(unusable)
    return replace(
        data,
        train=_items_without(data.train, excluded),
        listed_train=data.listed("train"),
        test=_items_without(data.test, excluded),
        manifest_of=lambda: digest([data.manifest, sorted(excluded)], 64),
    )


def _items_without(items: Items, excluded: Collection[str]) -> Items:
    rows = [n for n, item in enumerate(items.ids) if item not in excluded]
    return Items(tuple(items.ids[n] for n in rows), items.labels[rows], items.groups[rows])


def _read_pictures(data: ImageFiles) -> dict[str, Any]:
    """Pictures that cannot be read, and (training, test) pairs of equal pixels.

    The key `twins` is that of files in caches: under another name all would be read again.
    """
    hashes = scan(data.read, (*data.train.ids, *data.test.ids))
    corrupt = [item for item, h in hashes.items() if isinstance(h, Unreadable)]
    trained: dict[Any, str] = {}
    for item in data.train.ids:
        trained.setdefault(hashes[item], item)
    pairs = [(trained[hashes[i]], i) for i in data.test.ids if hashes[i] in trained]
    return {"corrupt": corrupt, "twins": pairs}


def _kept(address: str, compute: Callable[[], dict[str, Any]], keys: Sequence[str]) -> Any:
    """A mapping with the lists `keys`: what the cache keeps at an address, or what is computed."""

    def is_whole(kept: Any) -> bool:
        return isinstance(kept, dict) and all(isinstance(kept.get(key), list) for key in keys)

    return cached_json("corrupt", address, compute, is_whole)
