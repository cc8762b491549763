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
from harness.core.row_checksums import MANY
from harness.core.samples import Items
from harness.data._items import refuse_duplicate_names, shared_groups_note

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.core.samples import IntArray

#: Sets of MANY items or more whose rows are remembered.
MOST_LOOKED_UP = 4

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
        return self.precomputed.features_NF, self._rows(items)

    def checksums(self, items: Sequence[str]) -> npt.NDArray[np.uint64]:
        """(N,) of the features as float32."""
        return self.precomputed.checksums_N[self._rows(items)]

    def fingerprint(self, item: str) -> str:
        """sha256 of the features: equal ones are taken for one picture."""
        return hashlib.sha256(self.features([item]).tobytes()).hexdigest()

    def read_whole(self, item: str) -> NoReturn:
        """Raises DataError: opening has read all that there is."""
        self.image(item)

    def image(self, item: str) -> NoReturn:
        """Raises DataError."""
        raise DataError(f"{self.reference} holds features: there is no picture of {item}")

    def _rows(self, items: Sequence[str]) -> IntArray:
        """The rows of items; those of a long tuple, which no one can change, are looked up once."""
        known = self._looked_up.get(id(items))
        if known is not None:
            return known[1]
        row_N = np.fromiter(map(self._row.__getitem__, items), dtype=np.int64, count=len(items))
        if isinstance(items, tuple) and len(items) >= MANY:
            row_N.flags.writeable = False
            self._looked_up[id(items)] = items, row_N
            while len(self._looked_up) > MOST_LOOKED_UP:
                self._looked_up.pop(next(iter(self._looked_up)), None)
        return row_N

    @cached_property
    def _looked_up(self) -> dict[int, tuple[Sequence[str], IntArray]]:
        """By the id of the items, which are kept with their rows, so that no id is used twice."""
        return {}

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
    split_N = np.array(precomputed.split_N)
    rows = [np.flatnonzero(split_N == split) for split in SPLITS]
    train, test = (_items(precomputed, rows_M) for rows_M in rows)
    reference = f"features:{argument}"
    in_train, in_test = ({precomputed.groups[row] for row in of.tolist()} for of in rows)
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


def _items(precomputed: PrecomputedFeatures, rows_M: IntArray) -> Items:
    """The split with these rows of the file."""
    ids, groups = precomputed.ids, precomputed.groups
    rows = rows_M.tolist()
    numbers: dict[str, int] = {}
    # As in items_of: a row without a group is a group of its own.
    of_each = (numbers.setdefault(groups[row] or ids[row], len(numbers)) for row in rows)
    groups_M = np.fromiter(of_each, np.int64) if any(groups) else np.arange(len(rows))
    return Items(tuple(ids[row] for row in rows), precomputed.labels_N[rows_M], groups_M)
