"""The official split that the data set of a cell names."""

from __future__ import annotations

from dataclasses import replace

from harness.core.cells import Cell, Choice

#: The option of a data set that names an official split.
OPTION = "split"


def split_of(dataset: Choice) -> int | None:
    """Its number; None for a data set without one."""
    value = dict(dataset.options).get(OPTION)
    return value if isinstance(value, int) else None


def without_split(cell: Cell) -> Cell:
    """The cell without split and seed: equal for all splits of a data set."""
    options = tuple(option for option in cell.dataset.options if option[0] != OPTION)
    return replace(cell, dataset=Choice(cell.dataset.name, options), seed=None)
