"""Labelled samples: splits of a data set, support sets and test sets.

Shape legend, used in every file:
    B batch, N items, S seeds, G groups, C classes, K shots, V views, T frames,
    F width of backbone features, D width of the joint embedding, H W height and width,
    M learnable context vectors, E width of a text tower's token embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.core.hashing import digest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    IntArray = npt.NDArray[np.int64]
    FloatArray = npt.NDArray[np.float64]
    BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Items:
    """A split of a dataset: ids are stable, relative and unique."""

    ids: tuple[str, ...]
    labels: IntArray  # (N,), index into Dataset.classes
    groups: IntArray  # (N,)

    def first(self, n: int) -> Items:
        """The first n items."""
        return Items(self.ids[:n], self.labels[:n], self.groups[:n])


@dataclass(frozen=True)
class SupportSet:
    """The training samples of a cell. Drawn once, saved, read by every process."""

    items: tuple[str, ...]
    labels: tuple[int, ...]
    seed: int | None

    @cached_property
    def sha256(self) -> str:
        return digest([self.items, self.labels], 64)


@dataclass(frozen=True)
class TestSet:
    """The test samples of a cell. Every item counts once; a group was sampled together."""

    __test__ = False  # else pytest collects a class of this name

    items: tuple[str, ...]
    labels: IntArray  # (N,), index into class_names
    groups: IntArray  # (N,)
    class_names: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return digest(
            [self.items, self.labels.tolist(), self.groups.tolist(), self.class_names], 64
        )
