"""One place of the leaderboard: a row in a column, over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.core.cells import Cell
from harness.core.outcomes import Estimate, Outcomes
from harness.core.records import Record
from harness.core.samples import TestSet
from harness.report.model.results import Result
from harness.stats import pairwise

DONE, MISSING, FAILED, INFEASIBLE, ABSENT = "done", "missing", "failed", "infeasible", "absent"

#: Measures beside top-1: name of the field of a Record -> (title, whether it is a fraction).
MEASURES = {
    "top1": ("Top-1", True),
    "top5": ("Top-5", True),
    "mean_class": ("Mean class", True),
    "nll": ("NLL (nats)", False),
    "ece": ("ECE", True),
}
#: A loss this much (as a share, and in nats) below the mean of the epochs before it is still
#: falling. A loss near zero goes on falling by shares for ever, and nothing hangs on it.
FALLING, FALLING_NATS, EPOCHS_BEFORE = 0.05, 0.01, 5


@dataclass(frozen=True)
class Entry:
    """What a row shows in a column. Only a `done` one has an estimate (fractions)."""

    status: str  # done | missing | failed | infeasible | absent
    seeds_done: int = 0
    seeds_wanted: int = 0
    estimate: Estimate | None = None
    test: str | None = None
    classes: int | None = None  # C
    classes_drawn: bool = False  # every group is one class: new items are items of new classes
    measures: Mapping[str, float] = field(default_factory=dict)
    falling: bool = False
    reasons: tuple[str, ...] = ()
    cell: Cell | None = None  # of its first seed
    records: tuple[Record, ...] = ()
    outcomes: Outcomes | None = field(default=None, compare=False, repr=False)

    @property
    def blocks(self) -> bool:
        """Whether verdicts over its column have to wait for it."""
        return self.status in (MISSING, FAILED)


def make_entry(
    results: Sequence[Result],
    tests: Mapping[str, TestSet],
    arrays: Callable[[Record], Mapping[str, np.ndarray[Any, Any]]],
) -> Entry:
    """The entry of the results (one a seed) of a row in a column."""
    records = tuple(r.record for r in results if r.record is not None)
    done = [r for r in records if r.status == "done"]
    failed = [r for r in records if r.status != "done"]
    common: dict[str, Any] = {
        "seeds_done": len(done),
        "seeds_wanted": len(results),
        "cell": results[0].cell,
        "records": records,
    }
    if failed:
        return Entry(FAILED, **common, reasons=tuple(dict.fromkeys(map(_reason, failed))))
    if len(done) < len(results):
        return Entry(MISSING, **common)
    hashes = {r.test for r in done}
    test = tests.get(next(iter(hashes)) or "") if len(hashes) == 1 else None
    if test is None:
        why = "no test set was found for it" if len(hashes) == 1 else "its seeds differ in test set"
        return Entry(FAILED, **common, reasons=(why,))
    outcomes = Outcomes(
        correct_SN=np.stack([arrays(r)["rank"] == 0 for r in done]),
        seeds=tuple(r.cell.seed for r in results),
        groups_N=test.groups,
    )
    return Entry(
        DONE,
        **common,
        estimate=pairwise.estimate(outcomes),
        test=done[0].test,
        classes=len(test.class_names),
        classes_drawn=_groups_are_classes(test),
        measures=_means(done),
        falling=_still_falling(done),
        outcomes=outcomes,
    )


def _groups_are_classes(test: TestSet) -> bool:
    pairs = set(zip(test.groups.tolist(), test.labels.tolist(), strict=True))
    groups, labels = {g for g, _ in pairs}, {label for _, label in pairs}
    return len(pairs) == len(groups) == len(labels) == len(test.class_names)


def _reason(record: Record) -> str:
    error = record.error or {}
    return f"{error.get('type', 'failed')}: {error.get('message', 'no reason was recorded')}"


def _means(records: Sequence[Record]) -> dict[str, float]:
    out = {}
    for name in MEASURES:
        values = [v for r in records if (v := getattr(r, name)) is not None]
        if len(values) == len(records):
            out[name] = float(np.mean(values))
    return out


def _still_falling(records: Sequence[Record]) -> bool:
    """On the mean curve over seeds: that of one seed is too rough for the question."""
    curves = [[point["loss"] for point in r.curve if "loss" in point] for r in records]
    shortest = min(map(len, curves), default=0)
    if shortest <= EPOCHS_BEFORE:
        return False
    mean = np.mean([curve[-EPOCHS_BEFORE - 1 :] for curve in curves], axis=0)
    before, last = mean[:-1].mean(), mean[-1]
    return bool(before - last > max(FALLING * before, FALLING_NATS))
