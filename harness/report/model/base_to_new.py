"""Base-to-new: accuracy on the classes trained on, on new classes, and their H."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.core.cells import BASE, NEW, Cell, Choice
from harness.report.model.entry import ABSENT, Entry
from harness.report.model.labels import JOINT, Column
from harness.report.model.table import Table
from harness.stats.harmonic import harmonic_mean


@dataclass(frozen=True)
class BaseToNew:
    """A row after one training, tested on its base classes and on new ones.

    `base` and `new` are means over seeds (fractions), None where there is none; the status of the
    entry then says why. `column` is what the two columns have in common, without their class draw.
    """

    row: str
    column: str
    base: float | None
    new: float | None
    base_status: str
    new_status: str
    classes: tuple[int | None, int | None]  # how many base classes, how many new ones
    draw: int | None = None  # the class seed, where a study has several
    datasets: int = 1  # of how many data sets it is the mean
    draws: int = 1  # of how many class draws it is the mean
    #: Base and new of every data set.
    sides: tuple[tuple[Entry, Entry], ...] = field(default=(), compare=False, repr=False)

    @property
    def place(self) -> str:
        """Its column, with its draw."""
        return str(Column(self.column, self.draw)).removeprefix(", ")

    @property
    def harmonic(self) -> float | None:
        """H = 2 base new / (base + new) of the two means; 0 where both are 0."""
        if self.base is None or self.new is None:
            return None
        return harmonic_mean(self.base, self.new)


def base_to_new(table: Table) -> list[BaseToNew]:
    """A line for every row and column, then the means over data sets and over class draws; empty
    where the task has no `test_classes`.
    """
    lines: dict[Cell, BaseToNew] = {}
    for row in table.rows:
        for column in table.columns:
            cell = table.entries[row, column].cell
            if cell is None or cell.test_classes is None:
                continue
            key = replace(cell, test_classes=None, seed=None)
            if key not in lines:
                lines[key] = _line(table, row, column, cell.test_classes)
    over_datasets = _over_datasets(lines)
    return [*lines.values(), *over_datasets.values(), *_over_draws({**lines, **over_datasets})]


def _line(table: Table, row: str, column: Column, own: str) -> BaseToNew:
    """The line of an entry with the other one of its pair."""
    other = NEW if own == BASE else BASE
    partner = (_put(row, own, other), replace(column, label=_put(column.label, own, other)))
    entries = {
        own: table.entries[row, column],
        other: table.entries.get(partner, Entry(ABSENT)),
    }
    base, new = entries[BASE], entries[NEW]
    return BaseToNew(
        row=_put(row, own, None),
        column=_put(column.label, own, None),
        draw=column.draw,
        base=_mean(base),
        new=_mean(new),
        base_status=base.status,
        new_status=new.status,
        classes=(base.classes, new.classes),
        sides=((base, new),),
    )


def without_side(label: str, side: str) -> str:
    """The label of a row that names base or new, without it."""
    return _put(label, side, None)


def _put(label: str, own: str, other: str | None) -> str:
    """A label of row or column with another value of test_classes, or without one."""
    parts = label.split(JOINT)
    if own in parts:
        at = len(parts) - 1 - parts[::-1].index(own)
        parts[at : at + 1] = [] if other is None else [other]
    return JOINT.join(parts)


def _mean(entry: Entry) -> float | None:
    return None if entry.estimate is None else entry.estimate.mean


def _over_datasets(lines: dict[Cell, BaseToNew]) -> dict[Cell, BaseToNew]:
    """Means of base and of new over data sets, where a row has all of them on several."""
    groups: dict[Cell, list[BaseToNew]] = {}
    names = {cell.dataset for cell in lines}
    if len(names) < 2:
        return {}
    every = Choice("*")  # no data set has this name
    for cell, line in lines.items():
        groups.setdefault(replace(cell, dataset=every), []).append(line)
    return {
        cell: replace(_mean_line(group, "data sets"), datasets=len(group))
        for cell, group in groups.items()
        if _is_complete(group, len(names))
    }


def _over_draws(lines: dict[Cell, BaseToNew]) -> list[BaseToNew]:
    """The same over class draws, also of the means over data sets."""
    groups: dict[Cell, list[BaseToNew]] = {}
    draws = {cell.class_seed for cell in lines}
    for cell, line in lines.items():
        groups.setdefault(replace(cell, class_seed=None), []).append(line)
    return [
        replace(_mean_line(group, "class draws"), draws=len(group), draw=None)
        for group in groups.values()
        if len(draws) > 1 and _is_complete(group, len(draws))
    ]


def _is_complete(group: Sequence[BaseToNew], wanted: int) -> bool:
    return len(group) == wanted and all(line.harmonic is not None for line in group)


def _mean_line(group: Sequence[BaseToNew], what: str) -> BaseToNew:
    shared = [p for p in group[0].column.split(JOINT) if _in_all(p, [g.column for g in group])]
    return replace(
        group[0],
        row=JOINT.join(p for p in group[0].row.split(JOINT) if _in_all(p, [g.row for g in group])),
        column=JOINT.join(part for part in (f"mean over {len(group)} {what}", *shared) if part),
        base=float(np.mean([line.base for line in group if line.base is not None])),
        new=float(np.mean([line.new for line in group if line.new is not None])),
        classes=(None, None),
        sides=tuple(side for line in group for side in line.sides),
    )


def _in_all(part: str, labels: Sequence[str]) -> bool:
    return all(part in label.split(JOINT) for label in labels)
