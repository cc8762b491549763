"""A video that is no file of its own: the bytes of a member of an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ClipBytes:
    """Equal names are one video. `read` gives all of its bytes, or raises DataError."""

    name: str  # as messages have it
    read: Callable[[], bytes] = field(compare=False, repr=False)
    item: str = ""  # of the data set

    def __str__(self) -> str:
        return self.name


#: What can be decoded.
Clip = Path | ClipBytes
