"""Measured seconds for each item of some work, kept in the cache: what estimates learn from.

CACHE/rates/<kind>-<hash>.json. They change no result, so one that cannot be read or written is
done without.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.core.errors import DiskFull, OutputError
from harness.core.files import cache_folder, write_atomically
from harness.core.hashing import digest

READ, ENCODE, TEXT = "read", "encode", "text"
#: Older measurements count as so many items at most, so that a faster machine is soon learned.
MOST_ITEMS = 2000


def computed_precision(precision: str, device: str) -> str:
    """The precision that a type of device computes in: a CPU has no TF32."""
    return "float32" if (precision, device) == ("tf32", "cpu") else precision


def measured(kind: str, of: Any) -> float | None:
    """Seconds for an item of this work; None if it was never measured. `of` is JSON data."""
    known = _known(_path(kind, of))
    return None if known is None else known[1] / known[0]


def remember(kind: str, of: Any, items: int, seconds: float) -> None:
    """Add a measurement of so many items, which took `seconds` of one core (or of a GPU)."""
    if items <= 0:
        return
    path = _path(kind, of)
    before, took = _known(path) or (0.0, 0.0)
    if before > MOST_ITEMS:
        before, took = float(MOST_ITEMS), took * MOST_ITEMS / before
    text = json.dumps({"kind": kind, "of": of, "items": before + items, "seconds": took + seconds})
    with suppress(DiskFull, OutputError):
        write_atomically(path, lambda f: f.write(text.encode()))


def _known(path: Path) -> tuple[float, float] | None:
    """(items, seconds)."""
    try:
        data = json.loads(path.read_bytes())
        items, seconds = float(data["items"]), float(data["seconds"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return (items, seconds) if items > 0 and seconds >= 0 else None


def _path(kind: str, of: Any) -> Path:
    return cache_folder() / "rates" / f"{kind}-{digest(of, 32)}.json"
