"""Which classes two rows do not have the same accuracy on, and which confusions change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.core.samples import TestSet
from harness.report.model.entry import DONE, Entry
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.table import Table

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

#: Rows that are shown; classes and confusions on either side of a row.
MOST_ROWS, MOST_CLASSES = 12, 5

_Shares = Mapping[int, float]


@dataclass(frozen=True)
class Change:
    """A share of the items of a class in the base row and in the row: of those that are right, or
    of those taken for the class `predicted`. Means over seeds.
    """

    true: str
    base: float
    value: float
    predicted: str = ""

    @property
    def difference(self) -> float:
        return self.value - self.base


@dataclass(frozen=True)
class ClassGains:
    """A row against the base row: every class from the largest gain to the largest loss, and the
    confusions that grow and that shrink, the largest changes first.
    """

    row: str
    classes: tuple[Change, ...]
    grow: tuple[Change, ...]
    shrink: tuple[Change, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Classes with a higher accuracy than in the base row, an equal one, and a lower one."""
        up = sum(c.difference > 0 for c in self.classes)
        down = sum(c.difference < 0 for c in self.classes)
        return up, len(self.classes) - up - down, down


@dataclass(frozen=True)
class ColumnGains:
    """Rows of a column against one of them; `left_out`: rows without space. `items` has the fewest
    and the most test items of a class.
    """

    column: Column
    base: str
    items: tuple[int, int]
    rows: tuple[ClassGains, ...]
    left_out: tuple[str, ...]


def class_gains(results: Results, table: Table) -> ColumnGains | None:
    """In the last column in which a row has other accuracies than the base row: the reference, or
    the row with the highest mean. Of many rows those whose mean differs most from it.
    """
    for column in reversed(table.columns):
        base = _base(table, column)
        if base is None:
            continue
        of_base = table.entries[base, column]
        test = results.tests[of_base.test or ""]
        accuracy_C = _accuracies(of_base, test)
        others = [
            row
            for row in table.rows
            if row != base
            and table.entries[row, column].test == of_base.test
            and _is_done(table.entries[row, column])
            and np.any(_accuracies(table.entries[row, column], test) != accuracy_C)
        ]
        if others and len(test.class_names) > 1:
            return _gains(results, table, column, base, others)
    return None


def _base(table: Table, column: Column) -> str | None:
    means = {
        row: entry.estimate.mean
        for row in table.rows
        if _is_done(entry := table.entries[row, column]) and entry.estimate is not None
    }
    if table.reference in means:
        return table.reference
    return max(means, key=means.__getitem__) if means else None


def _is_done(entry: Entry) -> bool:
    return entry.status == DONE and entry.outcomes is not None


def _gains(
    results: Results, table: Table, column: Column, base: str, others: list[str]
) -> ColumnGains:
    def distance(row: str) -> float:
        a, b = (table.entries[r, column].estimate for r in (row, base))
        return abs(a.mean - b.mean) if a is not None and b is not None else 0.0

    kept = set(sorted(others, key=distance, reverse=True)[:MOST_ROWS])
    of_base = table.entries[base, column]
    test = results.tests[of_base.test or ""]
    confused = _confusions(results, of_base, test)
    rows = []
    for row in (r for r in others if r in kept):
        entry = table.entries[row, column]
        confusions = _confusion_changes(confused, _confusions(results, entry, test), test)
        rows.append(
            ClassGains(
                row,
                _class_changes(_accuracies(of_base, test), _accuracies(entry, test), test),
                tuple(c for c in confusions if c.difference > 0)[:MOST_CLASSES],
                tuple(c for c in reversed(confusions) if c.difference < 0)[:MOST_CLASSES],
            )
        )
    sizes = _sizes(test)
    items = int(sizes[sizes > 0].min()), int(sizes.max())
    return ColumnGains(column, base, items, tuple(rows), tuple(r for r in others if r not in kept))


def _sizes(test: TestSet) -> IntArray:
    return np.bincount(test.labels, minlength=len(test.class_names))


def _accuracies(entry: Entry, test: TestSet) -> FloatArray:
    """(C,) over seeds and items; not a number for a class without items."""
    assert entry.outcomes is not None
    right_N = entry.outcomes.correct_SN.mean(axis=0)
    right_C = np.bincount(test.labels, weights=right_N, minlength=len(test.class_names))
    with np.errstate(invalid="ignore"):
        # Sums of shares of seeds are exact to less than this.
        return np.asarray(np.round(right_C / _sizes(test), 9))


def _class_changes(base_C: FloatArray, value_C: FloatArray, test: TestSet) -> tuple[Change, ...]:
    found = [
        Change(name, float(a), float(b))
        for name, a, b in zip(test.class_names, base_C, value_C, strict=True)
        if not np.isnan(a)
    ]
    return tuple(sorted(found, key=lambda c: -c.difference))


def _confusions(results: Results, entry: Entry, test: TestSet) -> _Shares:
    """By `true * C + predicted`, the share of the items of the true class, mean over seeds."""
    assert entry.outcomes is not None
    classes, sizes = len(test.class_names), _sizes(test)
    found: dict[int, float] = {}
    for record, right_N in zip(entry.records, entry.outcomes.correct_SN, strict=True):
        predicted_N = results.arrays(record)["prediction"].astype(np.int64)
        wrong = ~right_N & (predicted_N < classes) & (predicted_N != test.labels)
        pairs, counts = np.unique(test.labels[wrong] * classes + predicted_N[wrong],
                                  return_counts=True)  # fmt: skip
        for pair, number in zip(pairs.tolist(), counts.tolist(), strict=True):
            share = number / (sizes[pair // classes] * len(entry.records))
            found[pair] = found.get(pair, 0.0) + float(share)
    return found


def _confusion_changes(base: _Shares, value: _Shares, test: TestSet) -> list[Change]:
    """From the largest growth on; those that do not change are left out."""
    names, classes = test.class_names, len(test.class_names)

    def change(pair: int) -> Change:
        before, after = (round(shares.get(pair, 0.0), 9) for shares in (base, value))
        return Change(names[pair // classes], before, after, names[pair % classes])

    found = map(change, sorted({*base, *value}))
    return sorted((c for c in found if c.difference), key=lambda c: -c.difference)
