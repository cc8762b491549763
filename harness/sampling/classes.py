"""Draws of classes: pure functions of named random streams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.core.cells import ClassPick
from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.protocols.dataset import Dataset
from harness.core.seeding import numpy_stream
from harness.core.text_files import lines_of, read_text


def pick_classes(
    dataset: Dataset, pick: ClassPick, class_seed: int | None, *, without: Sequence[int] = ()
) -> tuple[int, ...]:
    """Indices into dataset.classes, ascending.

    `without` are classes that may not be drawn (the test classes, when training classes are
    drawn). half=S is the usual half-class split: RandomState(S).permutation(C)[:C // 2].

    Raises DataError if there are fewer classes than `pick`.
    """
    if pick.file is not None:
        return _named_classes(dataset, Path(pick.file))
    barred = set(without)
    pool = [c for c in dataset.part(pick.part) if c not in barred]
    if pick.half is not None:
        order = np.random.RandomState(pick.half).permutation(len(pool))
        return tuple(sorted(pool[i] for i in order[: len(pool) // 2]))
    if pick.pick is None:
        return tuple(pool)
    if pick.pick > len(pool):
        raise DataError(f"classes.pick: {pick.pick} of the {len(pool)} classes of '{pick.part}'")
    order = numpy_stream(class_seed, "classes", pick.part).permutation(len(pool))
    return tuple(sorted(pool[i] for i in order[: pick.pick]))


def _named_classes(dataset: Dataset, path: Path) -> tuple[int, ...]:
    try:
        lines = lines_of(read_text(path))
    except DataError as error:
        raise DataError(f"classes: the file cannot be read: {error}") from error
    index = {name: i for i, name in enumerate(dataset.classes)}
    wanted = [line for line in lines if line]
    if not wanted:
        raise DataError(f"classes: the file {path} names no class")
    for name in wanted:
        if name not in index:
            raise DataError(
                f"classes: {path} names '{name}', which is not a class of the dataset"
                + did_you_mean(nearest(name, dataset.classes))
            )
    return tuple(sorted({index[name] for name in wanted}))
