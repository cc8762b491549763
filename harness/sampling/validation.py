"""Validation samples out of the official validation split (`val: official`, `{official: K}`)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import DataError
from harness.core.protocols.dataset import Dataset
from harness.core.samples import SupportSet
from harness.core.seeding import numpy_stream
from harness.sampling.sets import items_by_class


def official_validation(
    dataset: Dataset, classes: Sequence[int], seed: int | None, per_class: int | None
) -> SupportSet:
    """The whole val split, or `per_class` samples of every class: the first of one permutation per
    class name and seed. A class of fewer gives all that it has.

    Raises DataError without a val split, and for a class without samples in it.
    """
    by_class = items_by_class(dataset.listed("val"), classes)
    items: list[str] = []
    labels: list[int] = []
    for label, c in enumerate(classes):
        pool = by_class[c]
        if not pool:
            raise DataError(f"class '{dataset.classes[c]}' has no validation samples")
        if per_class is not None and per_class < len(pool):
            stream = numpy_stream(seed, "validation", dataset.classes[c])
            pool = [pool[i] for i in stream.permutation(len(pool))[:per_class]]
        items += pool
        labels += [label] * len(pool)
    return SupportSet(tuple(items), tuple(labels), None if per_class is None else seed)
