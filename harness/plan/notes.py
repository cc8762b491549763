"""What readers of a plan and of a report should know about the data of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from harness.core.cells import OWN, Cell
from harness.core.protocols.dataset import Dataset
from harness.plan.recipes import notes_on_recipe
from harness.plan.resolve import ResolvedCell, Setup, may_have_distractors, takes_all, val_cut
from harness.plan.samples import counted, few_samples, have, some
from harness.plan.saved import notes_on_saved
from harness.plan.shared_classes import shared_class_notes
from harness.plan.texts import found_notes, text_notes

#: What counts of classes are kept by while notes are made: many setups share their data.
Counts = dict[Any, Any]


def notes_of(cells: Sequence[ResolvedCell]) -> tuple[str, ...]:
    """Notes on the setups of the cells, each once."""
    setups = {id(resolved.setup): resolved for resolved in cells}
    notes: dict[str, None] = {}
    counts: Counts = {}
    for resolved in setups.values():
        notes |= dict.fromkeys(_of_setup(resolved.cell, resolved.setup, counts))
    return (*notes, *_by_row(list(setups.values())))


def _by_row(cells: Sequence[ResolvedCell]) -> Iterator[str]:
    """Notes on single rows of a report, each once with the rows that it is about."""
    rows: dict[str, dict[str, None]] = {}
    for resolved in cells:
        cell, setup = resolved.cell, resolved.setup
        row = str(cell.method or cell.classifier or cell.paradigm)
        texts = [f"init: {cell.init}: {text}" for text in notes_on_saved(cell, setup)]
        texts += [f"recipe: {text}" for text in notes_on_recipe(cell, setup)]
        for text in texts:
            rows.setdefault(text, {})[row] = None
    for text, of_rows in rows.items():
        yield f"{text} (rows: {', '.join(of_rows)})."


def found_of(cells: Sequence[ResolvedCell]) -> tuple[str, ...]:
    """What earlier runs found about the texts of the cells, each once."""
    setups = {id(resolved.setup): resolved for resolved in cells}
    found: dict[str, None] = {}
    for resolved in setups.values():
        found |= dict.fromkeys(found_notes(resolved.cell, resolved.setup))
    return tuple(found)


def _of_setup(cell: Cell, setup: Setup, counts: Counts) -> Iterable[str]:
    for dataset in (setup.dataset, setup.test_dataset):
        yield from dataset.notes
    yield from _all_samples(cell, setup)
    yield from _taken(cell, setup, counts)
    yield from _distractors(cell, setup, counts)
    yield from shared_class_notes(cell, setup)
    yield from text_notes(cell, setup)


def _all_samples(cell: Cell, setup: Setup) -> Iterable[str]:
    if cell.shots is None or setup.largest_class is None or isinstance(cell.val, int):
        return
    if cell.shots == setup.largest_class:
        yield (
            f"{cell.shots} shots are all the training samples of {cell.dataset}: the support sets "
            "do not vary over the seeds."
        )


def _taken(cell: Cell, setup: Setup, counts: Counts) -> Iterable[str]:
    """Classes that give fewer than K samples, under `few: take_all`."""
    val = val_cut(cell)
    if cell.shots is None or not takes_all(cell) or cell.shots + val <= (setup.per_class or 0):
        return
    few = few_samples(_counts(setup.dataset, "train", counts), setup, cell.shots + val - 1)
    kept = f" beside {val} for validation" if val else ""
    why = "few: take_all" if cell.support == OWN else f"support: {cell.support}"
    left = {name: n - val for name, n in few.items()}
    yield (
        f"{why}: {len(few)} of the {len(setup.trained.names)} classes of {cell.dataset} "
        f"{have(len(few))} fewer than {cell.shots} training samples{kept}; all are taken: "
        f"{counted(left)}."
    )


def _distractors(cell: Cell, setup: Setup, counts: Counts) -> Iterable[str]:
    """Classes of the vocabulary that nothing is tested of."""
    if not may_have_distractors(cell):
        return
    of_class = _counts(setup.test_dataset, "test", counts)
    tested = zip(setup.tested.indices, setup.tested.names, strict=True)
    empty = [name for c, name in tested if not of_class[c]]
    if empty:
        yield (
            f"{len(empty)} of the {len(setup.tested.names)} classes of "
            f"{cell.test_dataset or cell.dataset} {have(len(empty))} no test samples: others may "
            f"be mistaken for them, and mean class accuracy leaves them out: {some(empty)}."
        )


def _counts(dataset: Dataset, split: str, counts: Counts) -> Any:
    """(C,) items of every class in `train` or `test`."""
    key = (id(dataset), split)
    if key not in counts:
        items = dataset.train if split == "train" else dataset.test
        counts[key] = np.bincount(items.labels, minlength=len(dataset.classes))
    return counts[key]
