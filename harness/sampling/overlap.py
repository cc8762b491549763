"""Items with the same content: in training and test, or under two classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

#: The kinds of hashes of a sample, in this order; equal bytes give equal pixels.
KINDS = ("byte for byte", "pixel for pixel")
#: How many pairs a message names.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """An item with the name of its class, and what it is hashed to: bytes and pixels. None where a
    hash is not known.
    """

    item: str
    name: str
    hashes: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two samples of the same content, and the first of KINDS in which they are the same."""

    one: Sample
    other: Sample
    kind: str

    @property
    def two_classes(self) -> bool:
        return self.one.name != self.other.name

    def __str__(self) -> str:
        if self.two_classes:
            return f"{self.one.item} ({self.one.name}) = {self.other.item} ({self.other.name})"
        return f"{self.one.item} = {self.other.item}"


class Contents:
    """Samples by content; of samples with the same content and class the first is kept."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._by_hash: dict[tuple[int, str], Sample] = {}
        for sample in samples:
            for key in _keys(sample):
                self._by_hash.setdefault(key, sample)

    def pairs(self, others: Iterable[Sample]) -> Iterator[Pair]:
        """(sample, other) of every other with the content of a sample, each other once."""
        for other in others:
            for key in _keys(other):
                if key in self._by_hash:
                    yield Pair(self._by_hash[key], other, KINDS[key[0]])
                    break


def in_two_classes(samples: Sequence[Sample]) -> list[Pair]:
    """Samples whose content stands under another class before them."""
    first: dict[tuple[int, str], Sample] = {}
    pairs = []
    for sample in samples:
        before = ((key[0], first.setdefault(key, sample)) for key in _keys(sample))
        others = [(kind, other) for kind, other in before if other.name != sample.name]
        if others:
            kind, other = others[0]
            pairs.append(Pair(other, sample, KINDS[kind]))
    return pairs


def counted(pairs: Sequence[Pair]) -> str:
    """The number of pairs and the first of them: '3 (b.png = a.png, ...)'."""
    more = ", ..." if len(pairs) > NAMED else ""
    return f"{len(pairs)} ({', '.join(str(pair) for pair in pairs[:NAMED])}{more})"


def _keys(sample: Sample) -> Iterator[tuple[int, str]]:
    return ((kind, h) for kind, h in enumerate(sample.hashes) if h is not None)
