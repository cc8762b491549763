"""Numbers of bytes and entries as text, and the lines that every action prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

MOST_NAMED = 5


def size(n: int) -> str:
    """In the unit that gives one to three digits before the point: 512 B, 1.5 kB, 20.1 GB."""
    value, units = float(n), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.95 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{n} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def several(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def shown(path: Path) -> str:
    """On one line, in letters that every terminal takes: names in the cache may be any bytes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path.as_posix())


def print_unknown(folder: Path, unknown: Sequence[Path]) -> None:
    """A line on what is no part of the cache, if there is any."""
    if not unknown:
        return
    names = ", ".join(shown(path.relative_to(folder)) for path in unknown[:MOST_NAMED])
    more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
    print(f"not of the cache, and left alone: {names}{more}")
