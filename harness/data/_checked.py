"""Pictures that cannot be read: counted, named, left out where that is declared, never replaced."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, field_validator

from harness.core.errors import DataError
from harness.core.files import cache_folder, write_atomically
from harness.core.hashing import digest
from harness.core.samples import Items
from harness.data._base import ImageFiles
from harness.data._corrupt import Unreadable, look, named

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
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not whole and not (isinstance(value, float) and 0 <= value < 1):
            raise ValueError("must be a number of pictures (0, 1, 2, ...) or a share below 1")
        return value


def without_corrupt(data: Data, limit: float, address: Any) -> Data:
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
    allowed = limit if isinstance(limit, int) else math.floor(round(limit * len(items), 6))
    count = f"{len(corrupt)} of the {len(items)} pictures of {data.reference}"
    if len(corrupt) > allowed:
        raise DataError(
            f"{count} cannot be read, more than max_corrupt: {limit} allows: {named(corrupt)}"
        )
    notes = data.notes
    if corrupt:
        notes += (
            f"Left out of training and test, as they cannot be read: {count} "
            f"({named(corrupt)}); max_corrupt: {limit}.",
        )
    if seen["twins"]:
        pairs = [f"{test} = {train}" for train, test in seen["twins"]]
        notes += (
            f"Test pictures of {data.reference} that are training pictures as well, pixel for "
            f"pixel: {len(pairs)} ({named(pairs)}).",
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


def _examine(data: ImageFiles) -> dict[str, Any]:
    hashes = look(data.read, (*data.train.ids, *data.test.ids))
    corrupt = [item for item, h in hashes.items() if isinstance(h, Unreadable)]
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
