"""Whether the classes of a cell have the training and test samples that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.plan.catalogue import Catalogue
from harness.plan.resolve import Setup, may_have_distractors, takes_all, val_cut, val_per_class
from harness.sampling.sets import how_many

#: Most classes that a message names.
MOST_NAMED = 20


def check_classes(cell: Cell, setup: Setup, where: str) -> None:
    """Raises TaskError for fewer than two classes, of those tested or of those trained on."""
    if cell.test_classes is not None and cell.train_classes is not None:
        _check_halves(setup, f"{cell.train_classes.plain()}", where)
    if not setup.trained.indices or not setup.tested.indices:
        raise TaskError(where, "classes", f"{cell.classes.plain()} leaves no class")
    if len(setup.tested.indices) == 1:
        key = "classes" if cell.test_dataset is None else "test_dataset"
        only = f"'{setup.tested.names[0]}' is the only class that is tested"
        raise TaskError(where, key, f"{only}: the accuracy would always be 100")
    if len(setup.trained.indices) == 1 and cell.recipe is not None:
        key = "classes" if cell.train_classes is None else "train_classes"
        only = f"'{setup.trained.names[0]}' is the only class that is trained on"
        raise TaskError(where, key, f"{only}: there is nothing to tell it apart from")


def _check_halves(setup: Setup, pick: str, where: str) -> None:
    """Raises TaskError where no class is base, or none is new."""
    if not setup.trained.indices:
        raise TaskError(
            where, "train_classes", f"{pick} picks none of the classes: no class is base"
        )
    if not setup.tested.indices:
        problem = f"{pick} picks all {len(setup.trained.names)} classes: no class is new"
        raise TaskError(where, "train_classes", problem)


def check_test(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> None:
    """Raises TaskError for a class without test samples; in zero-shot if no class has any."""
    counts = catalogue.class_counts(cell.test_dataset or cell.dataset, "test")
    pairs = zip(setup.tested.indices, setup.tested.names, strict=True)
    empty = [name for c, name in pairs if not counts[c]]
    key = "dataset" if cell.test_dataset is None else "test_dataset"
    if len(empty) == len(setup.tested.names):
        notes = "".join(f". {note.rstrip('.')}" for note in setup.test_dataset.notes)
        problem = f"none of its {len(empty)} classes has test samples{notes}"
        raise TaskError(where, key, problem)
    if empty and not may_have_distractors(cell):
        whose = f"{len(empty)} of the {len(setup.tested.names)} classes {have(len(empty))}"
        problem = (
            f"{whose} no test samples, which only regime zero_shot and a test_dataset allow: "
            f"{some(empty)}"
        )
        raise TaskError(where, key, problem)


def too_few(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> str | None:
    """Why too few training samples are left beside those for validation, or None.

    Raises TaskError for a class without training samples, and for more `shots` than there are.
    """
    smallest, largest = setup.per_class, setup.largest_class
    if smallest is None or largest is None:
        return None
    if smallest == 0:
        empty = few_samples(catalogue.class_counts(cell.dataset, "train"), setup, 0)
        problem = f"{_of_all(empty, setup)} no training samples: {some(empty)}"
        raise TaskError(where, "dataset", f"{cell.dataset}: {problem}")
    if cell.shots is not None:
        _check_shots(cell, cell.shots, setup, catalogue, where)
    if cell.val is None:
        return None
    if not isinstance(cell.val, int):
        _check_official(cell, setup, catalogue, where)
        return None
    if takes_all(cell):
        return _without_validation(cell, cell.val, setup, catalogue)
    if (cell.shots or 1) + cell.val > smallest:
        return f"val: {cell.val} leaves too few of the {smallest} training samples of a class"
    return None


def _check_official(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> None:
    """Raises TaskError without a validation split, and for classes without enough samples in it."""
    if setup.dataset.val is None or not setup.dataset.val.ids:
        problem = f"{cell.dataset} has no validation split; val: K keeps K training samples a class"
        raise TaskError(where, "val", problem)
    per_class = val_per_class(cell)
    wanted = per_class if isinstance(per_class, int) and not takes_all(cell) else 1
    few = few_samples(catalogue.class_counts(cell.dataset, "val"), setup, wanted - 1)
    if few:
        fewer = f"fewer than {wanted}" if wanted > 1 else "no"
        problem = f"{_of_all(few, setup)} {fewer} samples in the validation split: {counted(few)}"
        raise TaskError(where, "val", problem)


def _check_shots(cell: Cell, shots: int, setup: Setup, catalogue: Catalogue, where: str) -> None:
    smallest, largest = setup.per_class or 0, setup.largest_class or 0
    if shots > largest:
        have = f"each class has {largest}" if smallest == largest else f"the largest has {largest}"
        raise TaskError(
            where, "shots", f"{shots} is more than the training samples of any class: {have}"
        )
    if shots > smallest and not takes_all(cell):
        few = few_samples(catalogue.class_counts(cell.dataset, "train"), setup, shots - 1)
        raise TaskError(
            where,
            "shots",
            f"{_of_all(few, setup)} fewer than {shots} training samples: {counted(few)}; "
            "'few: take_all' takes what there is of them",
        )


def _without_validation(cell: Cell, val: int, setup: Setup, catalogue: Catalogue) -> str | None:
    """Under `few: take_all`: why no support set is left beside the validation samples, or None."""
    if (setup.per_class or 0) <= val:
        none_left = few_samples(catalogue.class_counts(cell.dataset, "train"), setup, val)
        return f"val: {val} leaves no training samples of {counted(none_left)}"
    if cell.shots is not None and cell.shots + val > (setup.largest_class or 0):
        return f"val: {val} leaves no class with {cell.shots} training samples"
    return None


def taken_of_smallest(cell: Cell, setup: Setup) -> int | None:
    """How many samples of its smallest class a cell trains on; None if it trains on none."""
    if setup.per_class is None:
        return None
    left = max(0, setup.per_class - val_cut(cell))
    return how_many(left, cell.shots, cell.fraction, take_all=takes_all(cell))


def few_samples(counts: Any, setup: Setup, most: int) -> Mapping[str, int]:
    """The classes trained on that have at most so many training samples, the smallest first.

    `counts` (C,) are those of all classes of the data set.
    """
    trained = zip(setup.trained.indices, setup.trained.names, strict=True)
    few = ((int(counts[c]), name) for c, name in trained if counts[c] <= most)
    return {name: n for n, name in sorted(few, key=lambda pair: pair[0])}


def counted(classes: Mapping[str, int]) -> str:
    """Classes with their numbers of samples: 'iris' (3), 'rose' (7) and 5 more."""
    return _listed([f"'{name}' ({n})" for name, n in _first(classes.items())], len(classes))


def some(classes: Sequence[str] | Mapping[str, int]) -> str:
    """Classes by name: 'iris', 'rose' and 5 more."""
    return _listed([f"'{name}'" for name in _first(classes)], len(classes))


def _first(values: Any) -> Iterator[Any]:
    return (value for _, value in zip(range(MOST_NAMED), values, strict=False))


def _listed(shown: Sequence[str], total: int) -> str:
    rest = total - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def have(n: int) -> str:
    """The verb of so many classes."""
    return "has" if n == 1 else "have"


def _of_all(few: Mapping[str, int], setup: Setup) -> str:
    return f"{len(few)} of the {len(setup.trained.names)} classes {have(len(few))}"
