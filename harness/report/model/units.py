"""What a mean over data sets is a mean of: the columns of a table that differ in their data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from harness.core.cells import Cell
from harness.core.samples import TestSet
from harness.report.model.contrasts import Entries
from harness.report.model.draws import share_of_classes
from harness.report.model.labels import JOINT, Column, TableLayout, label_on, value_on
from harness.report.model.official_split import without_split

#: Axes that a mean goes over.
UNIT_AXES = ("dataset", "test_dataset", "class_seed")


@dataclass(frozen=True)
class Unit:
    """A data set (of official splits: all its columns), or one class draw of it."""

    name: str
    dataset: str  # what is the same for all class draws of a data set
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Units:
    """The units of one column of means."""

    of: tuple[Unit, ...]
    overlap: float  # mean share of classes that two units have in common

    @property
    def datasets(self) -> int:
        """How many data sets the units are of."""
        return len({unit.dataset for unit in self.of})

    @property
    def noun(self) -> str:
        """What they are: `data sets`, `class draws` or `class draws of 2 data sets`."""
        if self.datasets == len(self.of):
            return "data sets"
        return "class draws" + (f" of {self.datasets} data sets" if self.datasets > 1 else "")

    @property
    def kind(self) -> str:
        """What one of them is one of: `data sets` or `class draws`."""
        return self.noun.partition(" of ")[0]

    def title(self, column: Column) -> str:
        """What the column is called beside those of single data sets."""
        name = f"mean of {len(self.of)} {self.noun}"
        return name if column.label == "all" else f"{name}{JOINT}{column.label}"


def mean_columns(
    layout: TableLayout, entries: Entries, tests: Mapping[str, TestSet]
) -> dict[Column, Units]:
    """The columns of means with their units; none where no two columns differ in these alone.

    A column of means has the label that its columns share, `all` where they share nothing.
    """
    rest = tuple(a for a in layout.column_axes if a not in UNIT_AXES)
    groups: dict[str, dict[Unit, list[Column]]] = {}
    for column in layout.columns:
        cell = next((c for r in layout.rows if (c := entries[r, column].cell) is not None), None)
        if cell is not None:
            unit = _unit(cell, layout.column_axes, column.draw)
            groups.setdefault(label_on(cell, rest), {}).setdefault(unit, []).append(column)
    out = {}
    for label, by_unit in groups.items():
        if len(by_unit) > 1:
            of = tuple(replace(unit, columns=tuple(found)) for unit, found in by_unit.items())
            out[Column(label)] = Units(of, _overlap(of, layout.rows, entries, tests))
    return out


def _unit(cell: Cell, axes: Sequence[str], draw: int | None) -> Unit:
    """The unit of a column; its columns are put in later."""
    whole = without_split(cell)
    named = tuple(a for a in UNIT_AXES if a in axes)
    values = [value_on(whole, a) for a in named if a != "class_seed"]
    label = label_on(whole, named) if named else ""
    return Unit(str(Column(label, draw)).removeprefix(", "), str(values), ())


def _overlap(
    units: Sequence[Unit], rows: Sequence[str], entries: Entries, tests: Mapping[str, TestSet]
) -> float:
    """Classes of two data sets are different ones, whatever their names are."""

    def classes(unit: Unit) -> frozenset[str]:
        found = {entries[row, column].test for row in rows for column in unit.columns}
        return frozenset(name for test in found if test for name in tests[test].class_names)

    names = {unit: classes(unit) for unit in units}
    shares = [
        share_of_classes(names[a], names[b]) if a.dataset == b.dataset else 0.0
        for a, b in combinations(units, 2)
    ]
    return float(np.mean(shares)) if shares else 0.0
