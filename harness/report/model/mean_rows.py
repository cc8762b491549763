"""One row, or two, in the mean over data sets: entries and contrasts, before any family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cells import Choice
from harness.core.outcomes import Contrast, Estimate
from harness.core.samples import TestSet
from harness.report.model.clusters import clusters_of
from harness.report.model.contrasts import Entries
from harness.report.model.entry import ABSENT, DONE, FAILED, INFEASIBLE, MISSING, Entry
from harness.report.model.estimand import NEW_CLASSES, THESE_CLASSES
from harness.report.model.labels import Column
from harness.report.model.units import UNIT_AXES, Unit, Units
from harness.stats.across import t_over_datasets
from harness.stats.over_sets import WeightedSet, fixed_contrast, fixed_interval, new_contrast

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

THESE, NEW = "these_datasets", "new_datasets"
#: In csv files the value of the axes that a mean goes over: `mean:new_datasets`.
MARKER = "mean:"


@dataclass(frozen=True)
class MeanSource:
    """What means are made from. `kind` is these_datasets or new_datasets."""

    rows: tuple[str, ...]
    entries: Entries  # of the table
    tests: Mapping[str, TestSet]
    kind: str
    clusters: dict[tuple[tuple[str, str], ...], tuple[IntArray, ...]] = field(default_factory=dict)


def runs_of(entries: Entries, row: str, unit: Unit) -> FloatArray:
    """The accuracy of every run of a row on a unit, in the order of seeds; of splits their mean."""
    found = [o.correct_SN.mean(axis=1) for c in unit.columns if (o := entries[row, c].outcomes)]
    fewest = min(len(x_S) for x_S in found)
    runs_S: FloatArray = np.mean([x_S[:fewest] for x_S in found], axis=0)
    return runs_S


def values_of(entries: Entries, row: str, units: Units) -> FloatArray:
    """The mean accuracy of a row on every unit."""
    means = [
        float(np.mean([e.estimate.mean for c in unit.columns if (e := entries[row, c]).estimate]))
        for unit in units.of
    ]
    return np.array(means)


def mean_entry(source: MeanSource, row: str, units: Units) -> Entry:
    """The mean of a row, as an entry of a table; its cell has a marker in place of data sets."""
    parts = [source.entries[row, c] for unit in units.of for c in unit.columns]
    done, wanted = sum(e.seeds_done for e in parts), sum(e.seeds_wanted for e in parts)
    statuses = {e.status for e in parts}
    status = next((s for s in (FAILED, MISSING) if s in statuses), DONE)
    if statuses <= {ABSENT, INFEASIBLE}:
        return Entry(INFEASIBLE if INFEASIBLE in statuses else ABSENT)
    if statuses & {ABSENT, INFEASIBLE}:
        lacking = [u.name for u in units.of if any(
            source.entries[row, c].status in (ABSENT, INFEASIBLE) for c in u.columns)]  # fmt: skip
        return Entry(INFEASIBLE, reasons=(f"no mean without {', '.join(lacking)}",))
    cell = next(e.cell for e in parts if e.cell is not None)
    marker: dict[str, Any] = {
        a: Choice(MARKER + source.kind) for a in UNIT_AXES[:2] if getattr(cell, a) is not None
    }
    common: dict[str, Any] = {
        "cell": replace(cell, **marker, class_seed=None, seed=None),
        "records": tuple(r for e in parts for r in e.records),
        "seeds_wanted": wanted,
    }
    if status != DONE:
        return Entry(status, seeds_done=done, **common)
    seeds = min((e.seeds_done for e in parts if _is_random(e)), default=1)
    return Entry(
        DONE,
        seeds_done=seeds,
        estimate=_estimate(source, row, units, parts, seeds),
        estimand=NEW_CLASSES if {e.estimand for e in parts} == {NEW_CLASSES} else THESE_CLASSES,
        level=min(e.level for e in parts),
        measures=_measures(source, row, units),
        **common,
    )


def _is_random(entry: Entry) -> bool:
    return entry.outcomes is not None and entry.outcomes.seeds != (None,)


def _measures(source: MeanSource, row: str, units: Units) -> dict[str, float]:
    """Means over units of the measures that all of them have."""
    by_unit = [[source.entries[row, c].measures for c in unit.columns] for unit in units.of]
    every = [measures for of_unit in by_unit for measures in of_unit]
    return {
        name: float(np.mean([np.mean([m[name] for m in of_unit]) for of_unit in by_unit]))
        for name in every[0]
        if all(name in measures for measures in every)
    }


def _estimate(
    source: MeanSource, row: str, units: Units, parts: Sequence[Entry], seeds: int
) -> Estimate:
    value_M, level = values_of(source.entries, row, units), min(e.level for e in parts)
    if source.kind == NEW:
        t = t_over_datasets(value_M, units.overlap, confidence=1 - level)
        low, high = (max(0.0, t.low), min(1.0, t.high)) if t else (None, None)
        method = f"t over {units.noun}" if t else f"no interval: {len(value_M)} {units.noun}"
    else:
        found, method = fixed_interval(sets_of(source, (row,), units), confidence=1 - level)
        low, high = (found.low, found.high) if found else (None, None)
    of_items = [e.estimate for e in parts if e.estimate is not None]
    items, groups = (sum(getattr(e, name) for e in of_items) for name in ("items", "groups"))
    return Estimate(float(value_M.mean()), low, high, seeds, items, groups, method)


def sets_of(source: MeanSource, rows: Sequence[str], units: Units) -> list[WeightedSet]:
    """The outcomes of rows that have the same test sets, with clusters over all units."""
    columns = [(unit, column) for unit in units.of for column in unit.columns]
    clusters = _clusters(source, rows[0], columns)
    out = []
    for (unit, column), cluster_N in zip(columns, clusters, strict=True):
        outcomes = [o for row in rows if (o := source.entries[row, column].outcomes)]
        weight = 1 / (len(units.of) * len(unit.columns))
        placed = tuple(replace(o, groups_N=cluster_N) for o in outcomes)
        out.append(WeightedSet(placed, weight))
    return out


def _clusters(
    source: MeanSource, row: str, columns: Sequence[tuple[Unit, Column]]
) -> tuple[IntArray, ...]:
    """Rows with the same test sets share them."""
    names = []
    for _, column in columns:
        entry = source.entries[row, column]
        assert entry.test is not None
        assert entry.cell is not None
        names.append(((entry.cell.test_dataset or entry.cell.dataset).name, entry.test))
    key = tuple(names)
    if key not in source.clusters:
        source.clusters[key] = clusters_of((name, source.tests[test]) for name, test in key)
    return source.clusters[key]


def mean_contrast(source: MeanSource, units: Units, a: str, b: str) -> Contrast:
    contrast = fixed_contrast(sets_of(source, (a, b), units), name_a=a, name_b=b)
    if source.kind == THESE:
        return contrast
    return new_contrast(*both_of(source, units, a, b), contrast, overlap=units.overlap)


def both_of(source: MeanSource, units: Units, a: str, b: str) -> tuple[FloatArray, FloatArray]:
    return values_of(source.entries, a, units), values_of(source.entries, b, units)
