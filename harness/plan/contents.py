"""The data of a plan, hashed before its keys are made: so that the whole of it can be counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core.cells import Cell
from harness.core.hashes import Progress
from harness.core.protocols.dataset import Dataset
from harness.plan.catalogue import blame
from harness.plan.keys import used_items
from harness.plan.resolve import Setup


@dataclass
class _UsedData:
    """What all cells together use of a data set; `key` is the first that names it."""

    data: Dataset
    key: str
    used: dict[str, set[int]] = field(default_factory=dict)


@dataclass
class _Sum:
    """The progress of several data sets, one after another, told as that of one."""

    tell: Progress
    before: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.total = total
        self.tell(self.before + done, self.before + total)

    def next_one(self) -> None:
        self.before, self.total = self.before + self.total, 0


def hash_contents(
    cells: Sequence[tuple[Cell, Setup]], where: str, progress: Progress | None = None
) -> None:
    """Hash what these cells use of every data set. Data sets remember it, so that keys are made
    without reading anything.

    Raises TaskError for data that cannot be read.
    """
    told = _Sum(progress) if progress is not None else None
    for each in _used_data(cells):
        used = {split: sorted(classes) for split, classes in each.used.items()}
        with blame(where, each.key):
            each.data.content(used, told)
        if told is not None:
            told.next_one()


def _used_data(cells: Sequence[tuple[Cell, Setup]]) -> list[_UsedData]:
    found: dict[int, _UsedData] = {}
    for cell, setup in cells:
        trained_on, tested_on = used_items(cell, setup)
        test_key = "test_dataset" if cell.test_dataset else "dataset"
        for data, key, used in (
            (setup.dataset, "dataset", trained_on), (setup.test_dataset, test_key, tested_on)
        ):  # fmt: skip
            of_data = found.setdefault(id(data), _UsedData(data, key))
            for split, classes in used.items():
                of_data.used.setdefault(split, set()).update(classes)
    return list(found.values())
