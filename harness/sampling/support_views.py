"""Views of support pictures: random crops that stand for a picture, encoded once.

A view is drawn by the content of its picture, its number, and the ranges that it is drawn from, and
not by the seed of a cell. So equal pictures have equal views in every study, the first n of m views
are those of n, and each is encoded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.cells import Cell
from harness.core.hashing import digest

#: What a cell does with the views of a picture. All of them are samples of its class; their mean is
#: one sample; or the picture is one sample, of which epoch e reads view e mod n.
POOL, MEAN, CYCLE = "pool", "mean", "cycle"


@dataclass(frozen=True)
class RandomCrop:
    """View `number` of a picture: `scale` is the range of its share of the area; with `flip` it is
    in a mirror in one of two.
    """

    number: int
    scale: tuple[float, float]
    flip: bool

    def address(self, fingerprint: str) -> str:
        """The address of its features. A hash, so that no name of an item has the same."""
        return digest(["support view", fingerprint, self.number, *self.scale, self.flip], 64)


@dataclass(frozen=True)
class RandomCrops:
    """n views of every picture."""

    n: int
    scale: tuple[float, float]
    flip: bool

    def at(self, number: int) -> RandomCrop:
        """One of them, from 0."""
        return RandomCrop(number, self.scale, self.flip)

    def each(self) -> Iterator[RandomCrop]:
        return map(self.at, range(self.n))


def random_crops(cell: Cell) -> RandomCrops | None:
    """The views of the support pictures of a cell; None: it reads the pictures as they are."""
    if cell.support_views is None:
        return None
    options = dict(cell.support_views.options)
    low, high = options["scale"]
    return RandomCrops(options["n"], (low, high), options["flip"])


def use_of(cell: Cell) -> str | None:
    """pool, mean or cycle."""
    return cell.support_views.name if cell.support_views is not None else None


def rows_of_a_picture(cell: Cell) -> int:
    """How many samples a classifier or a method gets of a support picture."""
    crops = random_crops(cell)
    return crops.n if crops is not None and use_of(cell) == POOL else 1


def trained_rows_of_a_picture(cell: Cell) -> int:
    """How many samples an epoch reads of a support picture; a tuned backbone reads pictures."""
    return 1 if cell.tunes_backbone else rows_of_a_picture(cell)
