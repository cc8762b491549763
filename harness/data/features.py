"""Precomputed features, without their pictures: `features:PATH` with `encoder: given:PATH`.

PATH is an .npz file, a .safetensors file or a folder with the arrays features, labels and split;
docs/tasks.md lists them all. Nothing is computed by an encoder: tuning is none or projection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from harness.core.cells import Cell
from harness.core.errors import DataError
from harness.core.facts import CellFacts
from harness.core.hashes import Progress, Unhashed
from harness.core.hashing import digest
from harness.core.precomputed import SPLITS, PrecomputedFeatures, read_precomputed
from harness.core.protocols.dataset import Kind, Used
from harness.core.protocols.plugin import NoOptions
from harness.core.samples import Items
from harness.data._items import items_of, refuse_duplicate_names, shared_groups_note

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.core.samples import IntArray

#: Raised when the same file would be read otherwise.
REVISION = "features 1"


@dataclass(frozen=True, eq=False)
class FeatureFile:
    """Items that have features and no pictures: a `FeatureItems`."""

    kind: ClassVar[Kind] = "features"
    problems: ClassVar[tuple[str, ...]] = ()
    val: ClassVar[Items | None] = None

    reference: str  # as a task names it
    classes: tuple[str, ...]
    train: Items
    test: Items
    manifest: str
    precomputed: PrecomputedFeatures
    notes: tuple[str, ...] = ()

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """The manifest, which is over the bytes of the file."""
        return self.manifest

    def unhashed(self, used: Used) -> Unhashed:
        """Nothing: opening has read all that there is."""
        return Unhashed()

    def part(self, name: str) -> Sequence[int]:
        """All classes. DataError for any other part."""
        if name != "all":
            raise DataError(f"classes.from: {self.reference} has no part '{name}'; allowed: all")
        return range(len(self.classes))

    def listed(self, split: str) -> Items:
        """`train` in the order of the file; it has no `val`."""
        return self.train if split == "train" else self.train.first(0)

    def features(self, items: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, F) features in the order of `items`."""
        table_RF, row_N = self.stored(items)
        return np.asarray(table_RF[row_N], dtype=np.float32)

    def stored(self, items: Sequence[str]) -> tuple[npt.NDArray[np.floating[Any]], IntArray]:
        """The features of the file, mapped into memory if it is a folder, and the rows of items."""
        row_N = np.fromiter((self._row[item] for item in items), dtype=np.int64)
        return self.precomputed.features_NF, row_N

    def fingerprint(self, item: str) -> str:
        """sha256 of the features: equal ones are taken for one picture."""
        return hashlib.sha256(self.features([item]).tobytes()).hexdigest()

    def read_whole(self, item: str) -> NoReturn:
        """Raises DataError: opening has read all that there is."""
        self.image(item)

    def image(self, item: str) -> NoReturn:
        """Raises DataError."""
        raise DataError(f"{self.reference} holds features: there is no picture of {item}")

    @cached_property
    def _row(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.precomputed.ids)}


def open_dataset(argument: str, options: NoOptions) -> FeatureFile:
    """The features at `argument`.

    Raises DataError for arrays that are missing or do not fit, naming file and array.
    """
    if not argument:
        raise DataError("dataset 'features' needs a path, as in features:clip_features.npz")
    precomputed = read_precomputed(Path(argument).expanduser())
    refuse_duplicate_names(precomputed.class_names, precomputed.path)
    train, test = (_items(precomputed, split) for split in SPLITS)
    reference = f"features:{argument}"
    groups = list(zip(precomputed.split_N, precomputed.groups, strict=True))
    in_train, in_test = ([g for s, g in groups if s == split] for split in SPLITS)
    return FeatureFile(
        reference=reference,
        classes=precomputed.class_names,
        train=train,
        test=test,
        manifest=digest([REVISION, precomputed.content], 64),
        precomputed=precomputed,
        notes=shared_groups_note(in_train, in_test, reference),
    )


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Raises DataError with an encoder that reads pictures."""
    if not cell.encoder.name.startswith("given:"):
        holds = f"{cell.dataset} holds features, which {cell.encoder} cannot read"
        raise DataError(f"{holds}: encoder must be given:PATH with the same path")
    return None


def _items(precomputed: PrecomputedFeatures, split: str) -> Items:
    labels = precomputed.labels_N.tolist()
    rows = [
        (item, labels[row], precomputed.groups[row])
        for row, item in enumerate(precomputed.ids)
        if precomputed.split_N[row] == split
    ]
    return items_of(rows)
