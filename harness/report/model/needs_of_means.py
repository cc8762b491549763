"""What the undecided pairs of means over data sets need: seeds and items, or more data sets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.report.model.average import Average
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of
from harness.report.model.labels import Column
from harness.report.model.mean_rows import NEW, both_of, sets_of
from harness.report.model.mean_table import mean_table
from harness.report.model.needs import EQUAL_MEANS, is_decided, seconds_of_a_seed, size_of
from harness.report.model.table import Table
from harness.report.model.units import Units
from harness.stats.across import DECIMALS
from harness.stats.over_sets import datasets_needed, fixed_components
from harness.stats.pairwise import LEAST_SEEDS
from harness.stats.planning import floor_of_seeds, groups_needed, planned_power, seeds_needed

#: Why a pair has no plan.
NO_PLAN = "one seed, one group of items, or no difference on any item: nothing to plan with"
ONE_VALUE = "one data set, or the same difference on all: nothing to plan with"


@dataclass(frozen=True)
class MeanNeed:
    """An undecided pair of means. Fractions; None where no number is enough, or it has no meaning:
    seeds and items are for `these_datasets`, data sets for `new_datasets`.
    """

    column: Column
    title: str
    a: str
    b: str
    kind: str  # these_datasets | new_datasets
    difference: float
    target: float
    seeds: int
    units: int  # data sets, or class draws
    noun: str
    power: float | None = None  # today, at the target; None where there is no test yet
    seeds_needed: int | None = None
    items_factor: float | None = None  # so many times the items of every data set
    floor: float | None = None  # what infinitely many seeds would detect
    units_needed: int | None = None
    seconds: float | None = None  # what the further seeds of both rows would take
    random_seeds: bool = True
    why: str = ""


def needs_of_means(
    table: Table, *, target: float | None = None, power: float = 0.8
) -> list[MeanNeed]:
    """Every undecided pair of the family of means; see `needs_of`."""
    found, means = table.average, mean_table(table)
    if found is None or means is None:
        return []
    wanted = target if target is not None else margin_of(table)
    contrasts = found.against or found.pairs
    return [
        _need(found, c, size_of(means, contrasts, c), wanted, power)
        for c in contrasts
        if not is_decided(means, c)
    ]


def _need(
    found: Average, in_column: ColumnContrast, m: int, wanted: float | None, power: float
) -> MeanNeed:
    c, units = in_column.contrast, found.units[in_column.column]
    need = MeanNeed(
        column=in_column.column, title=units.title(in_column.column), a=c.a, b=c.b,
        kind=found.kind, difference=c.difference,
        target=wanted if wanted is not None else abs(c.difference), seeds=c.seeds,
        units=len(units.of), noun=units.noun,
    )  # fmt: skip
    if need.target == 0:
        return replace(need, why=EQUAL_MEANS)
    if found.kind == NEW:
        return _of_new(found, units, need, m, power)
    return _of_these(found, units, need, c.level / m, power)


def _of_new(found: Average, units: Units, need: MeanNeed, m: int, power: float) -> MeanNeed:
    of_a, of_b = both_of(found.source, units, need.a, need.b)
    d_M = of_a - of_b
    if len(d_M) < 2 or np.ptp(np.round(d_M, DECIMALS)) == 0:
        return replace(need, why=ONE_VALUE)
    number = datasets_needed(d_M, need.target, m=m, overlap=units.overlap, power=power)
    return replace(need, units_needed=number)


def _of_these(found: Average, units: Units, need: MeanNeed, alpha: float, power: float) -> MeanNeed:
    plan, target = fixed_components(sets_of(found.source, (need.a, need.b), units)), need.target
    if plan is None:
        return replace(need, why=NO_PLAN)
    now = None
    if need.seeds >= LEAST_SEEDS or not plan.random_seeds:
        now = planned_power(plan, target, plan.n_seeds, plan.n_groups, alpha=alpha)
    seeds = seeds_needed(plan, target, alpha=alpha, power=power)
    groups = groups_needed(plan, target, alpha=alpha, power=power)
    entries = found.source.entries
    each = sum(
        seconds_of_a_seed([entries[row, column] for row in (need.a, need.b)])
        for unit in units.of
        for column in unit.columns
    )
    return replace(
        need, power=now, seeds_needed=seeds, random_seeds=plan.random_seeds,
        items_factor=None if groups is None else groups / plan.n_groups,
        floor=floor_of_seeds(plan, alpha=alpha, power=power),
        seconds=None if seeds is None else max(0, seeds - need.seeds) * each,
    )  # fmt: skip
