"""Features that exist already, without their pictures: `features:PATH` with `encoder: given:PATH`.

PATH is an .npz file, a .safetensors file or a folder with the arrays features, labels and split;
docs/tasks.md lists them all. Nothing is computed by an encoder: tuning is none or projection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell
from harness.core.errors import DataError
from harness.core.facts import CellFacts
from harness.core.hashing import digest
from harness.core.precomputed import SPLITS, Given, read_given
from harness.core.protocols.dataset import Kind
from harness.core.samples import Items
from harness.data._base import items_of, refuse_twins

if TYPE_CHECKING:
    import numpy.typing as npt

#: Raised when the same file would be read otherwise.
REVISION = "features 1"


class Options(BaseModel):
    """Features that exist already have no options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, eq=False)
class GivenFeatures:
    """A Dataset whose items have features and no pictures."""

    kind: ClassVar[Kind] = "features"

    reference: str  # as a task names it
    classes: tuple[str, ...]
    train: Items
    test: Items
    manifest: str
    given: Given

    @property
    def feature_dim(self) -> int:
        """F."""
        return self.given.dim

    def part(self, name: str) -> Sequence[int]:
        if name != "all":
            raise DataError(f"classes.from: {self.reference} has no part '{name}'; allowed: all")
        return range(len(self.classes))

    def features(self, items: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, F) features in the order of `items`."""
        rows = [self._row[item] for item in items]
        return np.asarray(self.given.features_NF[rows], dtype=np.float32)

    def fingerprint(self, item: str) -> str:
        """sha256 of the features: equal ones are taken for one picture."""
        return hashlib.sha256(self.features([item]).tobytes()).hexdigest()

    def image(self, item: str) -> NoReturn:
        raise DataError(f"{self.reference} holds features: there is no picture of {item}")

    @cached_property
    def _row(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.given.ids)}


@cache
def open_dataset(argument: str, options: Options) -> GivenFeatures:
    """The features at `argument`.

    Raises DataError for arrays that are missing or do not fit, naming file and array.
    """
    if not argument:
        raise DataError("dataset 'features' needs a path, as in features:clip_features.npz")
    given = read_given(Path(argument).expanduser())
    refuse_twins(given.class_names, given.path)
    train, test = (_items(given, split) for split in SPLITS)
    return GivenFeatures(
        reference=f"features:{argument}",
        classes=given.class_names,
        train=train,
        test=test,
        manifest=digest([REVISION, given.content], 64),
        given=given,
    )


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Raises DataError beside an encoder that would want to see pictures."""
    if not cell.encoder.name.startswith("given:"):
        holds = f"{cell.dataset} holds features, which {cell.encoder} cannot read"
        raise DataError(f"{holds}: encoder must be given:PATH with the same path")
    return None


def _items(given: Given, split: str) -> Items:
    labels = given.labels_N.tolist()
    rows = [
        (item, labels[row], given.groups[row])
        for row, item in enumerate(given.ids)
        if given.split_N[row] == split
    ]
    return items_of(rows)
