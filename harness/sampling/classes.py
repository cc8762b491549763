"""Draws of classes: pure functions of named random streams."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.core.cells import ClassPick
from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import Problems
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
    wanted = _without_ids([line for line in lines if line], path)
    if not wanted:
        raise DataError(f"classes: the file {path} names no class")
    problems = Problems(f"classes: {path}")
    for name in wanted:
        if name not in index:
            problems.add(
                "name",
                f"classes: {path} names '{name}', which is not a class of the dataset"
                + did_you_mean(nearest(name, dataset.classes)),
            )
    problems.refuse()
    return tuple(sorted({index[name] for name in wanted}))


def _without_ids(lines: Sequence[str], path: Path) -> list[str]:
    """The names in a list; a table `id,name`, as Kinetics has one, has them in its second column.

    Raises DataError for a line of a table without a name.
    """
    if not lines or [cell.strip().lower() for cell in lines[0].split(",")] != ["id", "name"]:
        return list(lines)
    names = []
    for row in csv.reader(lines[1:]):
        if len(row) != 2 or not row[1].strip():
            raise DataError(f"classes: {path}: {','.join(row)!r} is not 'id,name'")
        names.append(row[1].strip())
    return names
