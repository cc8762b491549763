"""The samples of a cell that may have the content of another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.protocols.dataset import as_features
from harness.core.samples import SupportSet, TestSet
from harness.plan.resolve import ResolvedCell


@dataclass(frozen=True)
class Some:
    """Samples of one set, with the class of each among those of the set."""

    items: Sequence[str]
    labels: Sequence[int]


@dataclass(frozen=True)
class Sets:
    """Of one cell. None: it has no such set."""

    support: Some | None
    validation: Some | None
    test: Some


class Alike:
    """Sets of cells without the samples whose content is known to be that of no other sample.

    What is found in all samples is found in these. Of data sets without checksums they are all.
    """

    def __init__(self) -> None:
        self._known: dict[object, Sets] = {}
        self._whole: dict[int, Some] = {}

    def of(self, resolved: ResolvedCell) -> Sets:
        """Equal sets of two cells are one object, where they are whole."""
        # A plan draws each set once, and keeps it, so the same set is the same object.
        key = tuple(map(id, (resolved.support, resolved.validation, resolved.test)))
        if key not in self._known:
            self._known[key] = _repeated(resolved, self._all(resolved))
        return self._known[key]

    def _all(self, resolved: ResolvedCell) -> Sets:
        support, validation = resolved.support, resolved.validation
        return Sets(
            None if support is None else self._some(support),
            None if validation is None else self._some(validation),
            self._some(resolved.test),
        )

    def _some(self, drawn: SupportSet | TestSet) -> Some:
        if id(drawn) not in self._whole:
            labels = drawn.labels.tolist() if isinstance(drawn, TestSet) else drawn.labels
            self._whole[id(drawn)] = Some(drawn.items, labels)
        return self._whole[id(drawn)]


def _repeated(resolved: ResolvedCell, whole: Sets) -> Sets:
    trained, tested = as_features(resolved.setup.dataset), as_features(resolved.setup.test_dataset)
    if trained is None or tested is None:
        return whole
    drawn = [some for some in (whole.support, whole.validation) if some is not None]
    sums = [trained.checksums(some.items) for some in drawn]
    sums.append(tested.checksums(whole.test.items))
    known = [sums_N for sums_N in sums if sums_N is not None]
    if len(known) < len(sums):
        return whole
    _, of_each, counts = np.unique(np.concatenate(known), return_inverse=True, return_counts=True)
    ends = np.cumsum([len(sums_N) for sums_N in known])[:-1]
    rows = iter([np.flatnonzero(r).tolist() for r in np.split(counts[of_each] > 1, ends)])
    return Sets(
        whole.support and _at(whole.support, next(rows)),
        whole.validation and _at(whole.validation, next(rows)),
        _at(whole.test, next(rows)),
    )


def _at(some: Some, rows: Sequence[int]) -> Some:
    return Some([some.items[r] for r in rows], [some.labels[r] for r in rows])
