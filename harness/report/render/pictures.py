"""A figure that would be too high for one picture, in several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

from harness.report.model.figure import Figure

T = TypeVar("T")
#: Inches. Browsers and code hosts shrink what is much higher, and a drawn picture takes 4 bytes for
#: each of its pixels several times.
MOST_HIGH = 40.0


@dataclass(frozen=True)
class Picture(Generic[T]):
    """What one picture shows."""

    rows: Sequence[str]
    columns: Sequence[T]


def pictures(
    rows: Sequence[str], columns: Sequence[T], *, across: int, row_high: float, title_high: float
) -> list[Picture[T]]:
    """Rows and columns of each picture of a figure with a panel for each column and rows on its
    y axis, `across` panels in a line; `row_high` and `title_high` are in inches.

    No picture is higher than MOST_HIGH. Columns are parted first: a panel keeps its rows together
    where they fit.
    """
    out = []
    for some in _parted(rows, int((MOST_HIGH - title_high) / row_high)):
        lines = int(MOST_HIGH / (title_high + row_high * len(some)))
        out += [Picture(some, c) for c in _parted(columns, across * max(1, lines), across)]
    return out


def numbered(name: str, caption: str, drawn: Iterable[bytes]) -> list[Figure]:
    """The pictures of one figure: name.png, name_2.png, ..., each caption with its place."""
    pngs = list(drawn)
    if len(pngs) == 1:
        return [Figure(name, caption, pngs[0])]
    path = PurePath(name)
    names = [name, *(f"{path.stem}_{i}{path.suffix}" for i in range(2, len(pngs) + 1))]
    return [
        Figure(own, f"{caption} Picture {i} of {len(pngs)}.", data)
        for i, (own, data) in enumerate(zip(names, pngs, strict=True), 1)
    ]


def _parted(items: Sequence[T], most: int, step: int = 1) -> Iterator[Sequence[T]]:
    """Parts of nearly equal length, at most `most` (at least `step`) items, whole lines of `step`
    items but for the last.
    """
    lines = -(-len(items) // step)
    parts = -(-lines // max(1, most // step))
    length = step * -(-lines // parts)
    for start in range(0, len(items), length):
        yield items[start : start + length]
