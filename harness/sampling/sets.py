"""Draws of support, validation and test sets: pure functions of named random streams."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import DataError
from harness.core.protocols.dataset import Dataset
from harness.core.samples import Items, SupportSet, TestSet
from harness.core.seeding import numpy_stream

if TYPE_CHECKING:
    from PIL import Image

if TYPE_CHECKING:
    from harness.core.samples import IntArray


def draw_support(
    dataset: Dataset,
    classes: Sequence[int],
    seed: int | None,
    *,
    shots: int | None = None,
    fraction: float | None = None,
    val: int = 0,
    take_all: bool = False,
) -> SupportSet:
    """The training samples: K of every class, a fraction of every class, or all.

    There is one permutation per class name and seed, and K shots are its first K: the 1-shot set is
    part of the 2-shot set, and a class has the same shots whichever other classes take part. Labels
    count from 0 in the order of `classes`. The last `val` of each permutation are kept for
    validation. A fraction is rounded half up, to at least one. With `take_all` a class of fewer
    than K samples gives all that it has; the other classes have the shots that they have without.

    Raises DataError if a class has no training samples, or fewer than K without `take_all`.
    """
    by_class = items_by_class(dataset.train, classes)
    items: list[str] = []
    labels: list[int] = []
    for label, c in enumerate(classes):
        pool = by_class[c]
        if not pool:
            raise DataError(f"class '{dataset.classes[c]}' has no training samples")
        k = how_many(len(pool) - val, shots, fraction, take_all=take_all)
        if k > len(pool) - val or k < 1:
            kept = f", without the {val} for validation" if val else ""
            k = k if shots is None else shots
            raise DataError(
                f"shots: {k} is more than the {len(pool) - val} training samples of class "
                f"'{dataset.classes[c]}'{kept}"
            )
        whole = k == len(pool)
        order = range(k) if whole else _permutation(dataset, c, len(pool), seed)[:k]
        items += [pool[i] for i in order]
        labels += [label] * k
    varies = shots is not None or fraction is not None or val > 0
    return SupportSet(tuple(items), tuple(labels), seed if varies else None)


def draw_validation(
    dataset: Dataset, classes: Sequence[int], seed: int | None, val: int
) -> SupportSet:
    """The last `val` samples of every class's permutation: the same for every K, and never in a
    support set that was drawn with the same `val`.
    """
    by_class = items_by_class(dataset.train, classes)
    items: list[str] = []
    labels: list[int] = []
    for label, c in enumerate(classes):
        pool = by_class[c]
        order = _permutation(dataset, c, len(pool), seed)[len(pool) - val :]
        items += [pool[i] for i in order]
        labels += [label] * val
    return SupportSet(tuple(items), tuple(labels), seed)


def draw_test(dataset: Dataset, classes: Sequence[int], *, distractors: bool = False) -> TestSet:
    """All test samples of `classes`, each once.

    With `distractors` some of the classes may have none: they are names that a sample may be
    mistaken for. Raises DataError if a class has none without it, or if all have none.
    """
    position = {c: i for i, c in enumerate(classes)}
    rows = [i for i, c in enumerate(dataset.test.labels.tolist()) if c in position]
    present = {int(dataset.test.labels[i]) for i in rows}
    missing = [dataset.classes[c] for c in classes if c not in present]
    if missing and not (distractors and present):
        raise DataError(f"class '{missing[0]}' has no test samples")
    return TestSet(
        items=tuple(dataset.test.ids[i] for i in rows),
        labels=np.array([position[int(dataset.test.labels[i])] for i in rows], dtype=np.int64),
        groups=dataset.test.groups[rows],
        class_names=tuple(dataset.classes[c] for c in classes),
    )


def picture_hash(image: Image.Image) -> str:
    """sha256 over size and pixels: equal for equal images in different files."""
    content = hashlib.sha256(f"{image.size}|{image.mode}|".encode())
    content.update(image.tobytes())
    return content.hexdigest()


def _permutation(dataset: Dataset, c: int, n: int, seed: int | None) -> IntArray:
    return numpy_stream(seed, "support", dataset.classes[c]).permutation(n)


def how_many(
    available: int, shots: int | None, fraction: float | None, *, take_all: bool = False
) -> int:
    """How many of a class's `available` samples are trained on."""
    if shots is not None:
        return min(shots, available) if take_all else shots
    if fraction is not None:
        exact = round(fraction * available, 6)  # 0.29 * 50 is 14.5, but slightly less in floats
        return max(1, math.floor(exact + 0.5))
    return available


def items_by_class(split: Items, classes: Sequence[int]) -> dict[int, list[str]]:
    """Items of every class, sorted by id, so that no draw depends on the order of the dataset."""
    wanted: dict[int, list[str]] = {c: [] for c in classes}
    for item, label in zip(split.ids, split.labels.tolist(), strict=True):
        if label in wanted:
            wanted[label].append(item)
    return {c: sorted(pool) for c, pool in wanted.items()}
