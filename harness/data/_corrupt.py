"""Pictures that cannot be read: counted, named, left out where that is declared, never replaced."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, field_validator

from harness.cache import cache_folder, write_atomically
from harness.errors import DataError
from harness.splits import picture_hash
from harness.types import Items, digest

if TYPE_CHECKING:
    from PIL import Image

    from harness.data._base import ImageFiles

    Read = Callable[[str], Image.Image]

#: How long the others are looked at after one picture could not be read.
SECONDS = 20.0
#: How many are named in a message.
NAMED = 5


class PictureOptions(BaseModel):
    """max_corrupt: how many pictures (a whole number), or which share of them (below 1), may be
    unreadable; they are left out, counted and named. 0: none may.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_corrupt: int | float = 0

    @field_validator("max_corrupt", mode="before")
    @classmethod
    def _number_or_share(cls, value: Any) -> Any:
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not whole and not (isinstance(value, float) and 0 <= value < 1):
            raise ValueError("must be a number of pictures (0, 1, 2, ...) or a share below 1")
        return value


def named(items: Iterable[str]) -> str:
    """The first few of `items`."""
    listed = list(items)
    return ", ".join(listed[:NAMED]) + (", ..." if len(listed) > NAMED else "")


def unreadable(
    read: Read, items: Sequence[str], seconds: float = math.inf
) -> tuple[dict[str, str], bool]:
    """Items that cannot be read, with their reasons; and whether there was time for all."""
    hashes, whole = _look(read, items, seconds)
    return {i: h.reason for i, h in hashes.items() if isinstance(h, _Unreadable)}, whole


def without_corrupt(data: ImageFiles, limit: float, address: Any) -> ImageFiles:
    """`data` without the pictures that cannot be read.

    Every picture is read once, and the outcome remembered under `address`: JSON data that change
    when a file does. A limit of 0 looks at nothing. On the way pictures are seen that stand both
    in training and in test; they stay, with a note.

    Raises DataError if more than `limit` cannot be read.
    """
    if not limit:
        return data
    items = (*data.train.ids, *data.test.ids)
    seen = _remembered(digest([data.manifest, address], 32), lambda: _examine(data))
    corrupt: list[str] = seen["corrupt"]
    allowed = limit if isinstance(limit, int) else math.floor(limit * len(items))
    count = f"{len(corrupt)} of the {len(items)} pictures of {data.reference}"
    if len(corrupt) > allowed:
        raise DataError(
            f"{count} cannot be read, more than max_corrupt: {limit} allows: {named(corrupt)}"
        )
    notes = data.notes
    if corrupt:
        notes += (
            f"{count} cannot be read and are left out of training and test "
            f"(max_corrupt: {limit}): {named(corrupt)}.",
        )
    if seen["twins"]:
        pairs = [f"{test} = {train}" for train, test in seen["twins"]]
        notes += (
            f"{len(pairs)} test pictures of {data.reference} are also training pictures, "
            f"pixel for pixel: {named(pairs)}.",
        )
    if not corrupt:
        return replace(data, notes=notes)
    gone = set(corrupt)
    return replace(
        data,
        train=_without(data.train, gone),
        test=_without(data.test, gone),
        manifest=digest([data.manifest, sorted(gone)], 64),
        notes=notes,
    )


class _Unreadable:
    def __init__(self, reason: str) -> None:
        self.reason = reason


def _look(
    read: Read, items: Sequence[str], seconds: float
) -> tuple[dict[str, str | _Unreadable], bool]:
    """Hash of every picture, or why there is none, until the time is over."""
    end = time.monotonic() + seconds

    def one(item: str) -> str | _Unreadable | None:
        if time.monotonic() > end:
            return None
        try:
            return picture_hash(read(item))
        except DataError as error:
            return _Unreadable(str(error))

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(one, items))
    looked = {i: h for i, h in zip(items, found, strict=True) if h is not None}
    return looked, len(looked) == len(items)


def _examine(data: ImageFiles) -> dict[str, Any]:
    hashes, _ = _look(data.read, (*data.train.ids, *data.test.ids), math.inf)
    corrupt = [item for item, h in hashes.items() if isinstance(h, _Unreadable)]
    trained: dict[Any, str] = {}
    for item in data.train.ids:
        trained.setdefault(hashes[item], item)
    twins = [(trained[hashes[i]], i) for i in data.test.ids if hashes[i] in trained]
    return {"corrupt": corrupt, "twins": twins}


def _remembered(name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    path: Path = cache_folder() / "corrupt" / f"{name}.json"
    if path.is_file():
        try:
            kept: dict[str, Any] = json.loads(path.read_bytes())
            return {"corrupt": list(kept["corrupt"]), "twins": [tuple(t) for t in kept["twins"]]}
        except (ValueError, KeyError, TypeError):
            pass  # damaged: looked at again, and written over
    value = compute()
    text = json.dumps(value).encode()
    write_atomically(path, lambda f: f.write(text))
    return value


def _without(items: Items, gone: set[str]) -> Items:
    kept = [n for n, item in enumerate(items.ids) if item not in gone]
    return Items(tuple(items.ids[n] for n in kept), items.labels[kept], items.groups[kept])
