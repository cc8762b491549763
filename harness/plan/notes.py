"""What readers of a plan and of a report should know about the data of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.core.cells import Cell
from harness.plan.resolve import ResolvedCell, Setup


def notes_of(cells: Sequence[ResolvedCell]) -> tuple[str, ...]:
    """Notes on the setups of the cells, each once."""
    setups = {id(resolved.setup): resolved for resolved in cells}
    notes: dict[str, None] = {}
    for resolved in setups.values():
        notes |= dict.fromkeys(_of_setup(resolved.cell, resolved.setup))
    return tuple(notes)


def _of_setup(cell: Cell, setup: Setup) -> Iterable[str]:
    for dataset in (setup.dataset, setup.test_dataset):
        yield from dataset.notes
    yield from _all_samples(cell, setup)


def _all_samples(cell: Cell, setup: Setup) -> Iterable[str]:
    if cell.shots is not None and cell.shots == setup.per_class:
        yield (
            f"{cell.shots} shots are all the training samples of {cell.dataset}: the support sets "
            "do not vary over the seeds."
        )
