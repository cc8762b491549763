"""What the undecided pairs of a table need: seeds, items, and the seconds that seeds would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Outcomes
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.entry import Entry
from harness.report.model.equivalence import margin_of, verdict_of
from harness.report.model.estimand import FIXED_ITEMS, in_stats
from harness.report.model.labels import Column
from harness.report.model.table import Table
from harness.stats.equivalence import BOTH, EQUIVALENT, SAME_CELLS
from harness.stats.holm import ALPHA
from harness.stats.pairwise import LEAST_SEEDS
from harness.stats.planning import (
    Components,
    components,
    floor_of_seeds,
    groups_needed,
    planned_power,
    seeds_needed,
)
from harness.stats.sequential import common_seeds

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

#: Why a pair has no plan.
ONE_SEED = "one seed: how much seeds vary is not known"
ONE_GROUP = "one group of items: how much items vary is not known"
EQUAL_MEANS = "the means are equal: name a difference to look for"
NO_SPREAD = "no difference on any item and seed: nothing to plan with"


@dataclass(frozen=True)
class Need:
    """An undecided pair. Fractions; None where no number is enough, or nothing can be planned."""

    column: Column
    a: str
    b: str
    difference: float  # observed
    target: float  # the true difference that is to be found
    seeds: int
    items: int
    groups: int
    power: float | None  # today, at the target; None where there is no test yet
    random_seeds: bool
    seeds_needed: int | None
    groups_needed: int | None  # with today's seeds, but at least those of a test
    floor: float | None  # what infinitely many seeds would detect
    seconds: float | None  # what the further seeds of both rows would take
    why: str = ""

    @property
    def items_needed(self) -> int | None:
        """With as many items a group as today."""
        if self.groups_needed is None:
            return None
        return round(self.groups_needed * self.items / self.groups)


@dataclass(frozen=True)
class Needs:
    """The undecided pairs of a table's declared family, and the level of one comparison."""

    of: tuple[Need, ...]
    compared: int
    family: str
    m: int  # the largest family
    power: float


def needs_of(table: Table, *, target: float | None = None, power: float = 0.8) -> Needs:
    """Every undecided pair of the family that the task declares, with what it needs.

    `target` is the difference to be found (a fraction). Without it: the task's margin, else the
    difference that each pair has, which plans for what may be chance.
    """
    contrasts = table.against or table.pairs
    wanted = target if target is not None else margin_of(table)
    found = [
        _need(table, c, size_of(table, contrasts, c), wanted, power)
        for c in contrasts
        if not is_decided(table, c)
    ]
    sizes = [size_of(table, contrasts, c) for c in contrasts]
    name = contrasts[0].family if contrasts else table.task.report.family
    return Needs(tuple(found), len(contrasts), name, max(sizes, default=0), power)


def is_decided(table: Table, in_column: ColumnContrast) -> bool:
    """Whether a pair differs significantly, or is equivalent within the task's margin."""
    c = in_column.contrast
    if c.p_adjusted is not None and c.p_adjusted <= ALPHA:
        return True
    return verdict_of(table, c, in_column.column) in (EQUIVALENT, BOTH, SAME_CELLS)


def size_of(table: Table, contrasts: Sequence[ColumnContrast], c: ColumnContrast) -> int:
    """m; where nothing has a p yet, how many comparisons the family has."""
    if c.m:
        return c.m
    pool = contrasts if c.family == "reference" else table.pairs
    return sum(c.family == "table" or other.column == c.column for other in pool)


def _need(
    table: Table, in_column: ColumnContrast, m: int, wanted: float | None, power: float
) -> Need:
    c, column = in_column.contrast, in_column.column
    entries = table.entries[c.a, column], table.entries[c.b, column]
    target, alpha = wanted if wanted is not None else abs(c.difference), c.level / m
    plan, why = components_of(*entries)
    chance = seeds = groups = floor = seconds = None
    if plan is not None and target > 0:
        tested = c.seeds >= LEAST_SEEDS or not plan.random_seeds
        if tested:
            chance = planned_power(plan, target, plan.n_seeds, plan.n_groups, alpha=alpha)
        seeds = seeds_needed(plan, target, alpha=alpha, power=power)
        groups = groups_needed(plan, target, alpha=alpha, power=power)
        floor = floor_of_seeds(plan, alpha=alpha, power=power)
        seconds = None if seeds is None else max(0, seeds - c.seeds) * seconds_of_a_seed(entries)
    elif plan is not None:
        why = NO_SPREAD if plan.seeds == plan.groups == plan.residual == 0 else (
            EQUAL_MEANS)  # fmt: skip
    return Need(
        column=column, a=c.a, b=c.b, difference=c.difference, target=target, seeds=c.seeds,
        items=c.items, groups=c.groups, power=chance, seeds_needed=seeds, groups_needed=groups,
        floor=floor, seconds=seconds, why=why, random_seeds=plan is None or plan.random_seeds,
    )  # fmt: skip


def components_of(a: Entry, b: Entry) -> tuple[Components | None, str]:
    """Of the differences on common seeds; None with the reason."""
    assert a.outcomes is not None
    assert b.outcomes is not None
    pair = (a.outcomes, b.outcomes)
    seeds = common_seeds(pair)
    drawn = seeds != (None,)
    if drawn and len(seeds) < 2:
        return None, ONE_SEED
    if len(np.unique(a.outcomes.groups_N)) < 2:
        return None, ONE_GROUP
    d_SN = _correct(pair[0], seeds) - _correct(pair[1], seeds)
    if in_stats(a.estimand) == FIXED_ITEMS:
        return _of_seeds(d_SN, len(np.unique(a.outcomes.groups_N)), drawn=drawn)
    if not np.ptp(d_SN):
        return None, NO_SPREAD
    return components(d_SN, a.outcomes.groups_N, random_seeds=drawn), ""


def _of_seeds(d_SN: FloatArray, groups: int, *, drawn: bool) -> tuple[Components | None, str]:
    """With these items alone, only seeds are random."""
    variance = float(d_SN.mean(axis=1).var(ddof=1)) if drawn else 0.0
    if variance == 0:
        return None, NO_SPREAD if drawn else "nothing is random with these items alone"
    return Components(variance, 0.0, 0.0, len(d_SN), groups), ""


def _correct(o: Outcomes, seeds: Sequence[int | None]) -> FloatArray:
    rows = [0] * len(seeds) if o.seeds == (None,) else [o.seeds.index(s) for s in seeds]
    correct_SN: FloatArray = o.correct_SN[rows].astype(np.float64)
    return correct_SN


def seconds_of_a_seed(entries: Sequence[Entry]) -> float:
    """Of one more seed: the mean wall time of each row that has seeds."""
    total = 0.0
    for entry in entries:
        if entry.outcomes is not None and entry.outcomes.seeds != (None,):
            walls = [float(r.cost.get("wall_s") or 0.0) for r in entry.records]
            total += float(np.mean(walls)) if walls else 0.0
    return total
