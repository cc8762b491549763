"""One entry of the leaderboard: a row in a column, over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.core.cells import Cell
from harness.core.outcomes import Estimate, Outcomes
from harness.core.records import Record
from harness.core.samples import TestSet
from harness.core.settled import rules_of
from harness.report.model.curves import not_learned, still_falling
from harness.report.model.estimand import THESE_CLASSES, in_stats, suggested
from harness.report.model.measured import measures_of
from harness.report.model.results import Result
from harness.stats import pairwise
from harness.stats.holm import ALPHA
from harness.stats.sequential import level_of

DONE, MISSING, FAILED, INFEASIBLE, ABSENT = "done", "missing", "failed", "infeasible", "absent"


@dataclass(frozen=True)
class Entry:
    """What a row shows in a column. Only a `done` entry has an estimate (fractions)."""

    status: str  # done | missing | failed | infeasible | absent
    seeds_done: int = 0
    seeds_wanted: int = 0
    estimate: Estimate | None = None
    test: str | None = None
    classes: int | None = None  # C
    estimand: str = THESE_CLASSES  # new_classes | these_classes | these_items
    measures: Mapping[str, float] = field(default_factory=dict)  # means over seeds, by name
    falling: bool = False
    not_learned: bool = False
    reasons: tuple[str, ...] = ()
    cell: Cell | None = None  # of its first seed
    records: tuple[Record, ...] = ()
    level: float = ALPHA  # of its interval; smaller under a sequential rule
    outcomes: Outcomes | None = field(default=None, compare=False, repr=False)

    @property
    def blocks(self) -> bool:
        """Whether bold and ranks of its column have to wait for it."""
        return self.status in (MISSING, FAILED)


def make_entry(
    results: Sequence[Result],
    tests: Mapping[str, TestSet],
    arrays: Callable[[Record], Mapping[str, np.ndarray[Any, Any]]],
    estimand: str | None = None,
) -> Entry:
    """The entry of a row in a column, from its results (one per seed). `tests` have the groups that
    count as one draw under `estimand`; None: what each of them suggests.
    """
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
    # A mean over some of the seeds would not be comparable with the other rows.
    if len(done) < len(results):
        return Entry(MISSING, **common)
    test_names = {r.test for r in done}
    test = tests.get(next(iter(test_names)) or "") if len(test_names) == 1 else None
    if test is None:
        why = "its test set was not found" if len(test_names) == 1 else "its test sets differ"
        return Entry(FAILED, **common, reasons=(why,))
    outcomes = Outcomes(
        correct_SN=np.stack([arrays(r)["rank"] == 0 for r in done]),
        seeds=tuple(r.cell.seed for r in results),
        groups_N=test.groups,
    )
    level = level_of(rules_of(done), outcomes.seeds)
    return Entry(
        DONE,
        **common,
        level=level,
        estimate=pairwise.estimate(outcomes, confidence=1 - level, estimand=in_stats(estimand)),
        test=done[0].test,
        classes=len(test.class_names),
        estimand=estimand or suggested(test),
        measures=_mean_measures(done),
        falling=still_falling(done),
        not_learned=not_learned(done),
        outcomes=outcomes,
    )


def _reason(record: Record) -> str:
    error = record.error or {}
    return f"{error.get('type', 'failed')}: {error.get('message', 'no reason was recorded')}"


def _mean_measures(records: Sequence[Record]) -> dict[str, float]:
    """Means over seeds of the measures that every seed has."""
    by_seed = [measures_of(record) for record in records]
    return {
        name: float(np.mean([measures[name] for measures in by_seed]))
        for name in by_seed[0]
        if all(name in measures for measures in by_seed)
    }
