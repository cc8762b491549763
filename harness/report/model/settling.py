"""What a look of `grid --settle` decides: which pairs, and which columns get more seeds.

The pairs are those of the family that the task declares, in every column and in the means over
these data sets; with new data sets as the question, seeds decide nothing. All rows of a column have
the same seeds, so that rows stay paired and none is favoured for having been lucky.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.core.looks import LookRule
from harness.core.settled import ColumnLook, cell_id
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.equivalence import margin_of
from harness.report.model.labels import Column
from harness.report.model.mean_rows import THESE, sets_of
from harness.report.model.mean_table import mean_table
from harness.report.model.needs import components_of, is_decided
from harness.report.model.table import Table
from harness.report.model.units import Units
from harness.stats.over_sets import fixed_components
from harness.stats.planning import (
    Components,
    groups_needed,
    planned_power,
    projected,
    seeds_needed,
)
from harness.stats.student import t_quantile

#: More seeds are run where they have this chance to decide a pair.
LEAST_CHANCE = 0.1
#: The components of a pair's difference; None where nothing can be planned.
PlanOf = Callable[[ColumnContrast], Components | None]
#: What would decide a pair.
SEEDS, BUDGET, ITEMS, NOTHING = "seeds", "more seeds than the budget", "items", "nothing"


@dataclass(frozen=True)
class Undecided:
    """A pair that is not decided, and what would decide it.

    `seeds_needed` and `items_needed` are for a power of 0.8 if its true difference is the one that
    was found; None where no number is enough.
    """

    pair: ColumnContrast
    by: str  # SEEDS | BUDGET | ITEMS | NOTHING
    seeds_needed: int | None = None
    items_needed: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What a look says of one column, or of one column of means."""

    column: Column
    decided: tuple[ColumnContrast, ...]
    undecided: tuple[Undecided, ...]
    units: Units | None = None  # of a mean: what it is a mean of

    @property
    def name(self) -> str:
        """What it is called; '' for the only column."""
        if self.units is not None:
            return self.units.title(self.column)
        return "" if self.column.label == "all" else str(self.column)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those that more seeds would go to."""
        if self.units is None:
            return (self.column,)
        return tuple(column for unit in self.units.of for column in unit.columns)

    @property
    def goes_on(self) -> bool:
        """Whether more seeds may decide one of its pairs."""
        return any(u.by == SEEDS for u in self.undecided)


def verdicts_of(table: Table, rule: LookRule) -> list[Verdict]:
    """Every column that has pairs of the family, and every mean over these data sets."""

    def of_items(c: ColumnContrast) -> Components | None:
        plan, _ = components_of(*(table.entries[r, c.column] for r in (c.contrast.a, c.contrast.b)))
        return plan

    return [*_verdicts(table, rule, of_items), *_of_means(table, rule)]


def _of_means(table: Table, rule: LookRule) -> list[Verdict]:
    found, means = table.average, mean_table(table)
    if found is None or means is None or found.kind != THESE:
        return []

    def of_sets(c: ColumnContrast) -> Components | None:
        rows = (c.contrast.a, c.contrast.b)
        return fixed_components(sets_of(found.source, rows, found.units[c.column]))

    verdicts = _verdicts(means, rule, of_sets)
    return [replace(v, units=found.units[v.column]) for v in verdicts]


def _verdicts(table: Table, rule: LookRule, plan_of: PlanOf) -> list[Verdict]:
    contrasts = table.against or table.pairs
    out = []
    for column in table.columns:
        of_column = [c for c in contrasts if c.column == column]
        decided = tuple(c for c in of_column if is_decided(table, c))
        rest = [c for c in of_column if c not in decided]
        left = tuple(_undecided(c, plan_of(c), rule, margin_of(table)) for c in rest)
        if of_column:
            out.append(Verdict(column, decided, left))
    return out


def _undecided(
    c: ColumnContrast, plan: Components | None, rule: LookRule, margin: float | None
) -> Undecided:
    if plan is None:
        return Undecided(c, NOTHING)
    difference, alpha = abs(c.contrast.difference), rule.levels[-1] / max(1, c.m)
    seeds = groups = None
    if difference > 0:
        seeds = seeds_needed(plan, difference, alpha=alpha)
        groups = groups_needed(plan, difference, alpha=alpha)
    items = None if groups is None else round(groups * c.contrast.items / plan.n_groups)
    if _seeds_may_decide(plan, c, rule, margin):
        return Undecided(c, SEEDS, seeds, items)
    by = BUDGET if seeds is not None else NOTHING if items is None else ITEMS
    return Undecided(c, by, seeds, items)


def _seeds_may_decide(
    plan: Components, c: ColumnContrast, rule: LookRule, margin: float | None
) -> bool:
    """Whether the seeds of the budget may decide the pair: with a chance of LEAST_CHANCE, if its
    difference is one standard error of today larger than it was found, or by being inside the
    margin, if it is as much smaller.
    """
    seeds = rule.sizes[-1]
    if not plan.random_seeds or plan.n_seeds >= seeds:
        return False
    level, found = rule.levels[-1], abs(c.contrast.difference)
    alpha = level / max(1, c.m)
    today, _ = projected(plan, plan.n_seeds, plan.n_groups)
    chance = planned_power(plan, found + today, seeds, plan.n_groups, alpha=alpha)
    if chance >= LEAST_CHANCE:
        return True
    if margin is None:
        return False
    error, df = projected(plan, seeds, plan.n_groups)
    return max(0.0, found - today) + error * t_quantile(df, 1 - 2 * alpha) < margin


def new_columns(table: Table, reached: Mapping[str, int]) -> list[ColumnLook]:
    """The columns that have cells which no look had, at the last look of their other cells: before
    the first look all columns. `reached` has the last look of every cell.
    """
    looks = [_at(table, column, 0) for column in table.columns]
    return [
        replace(found, look=max(reached.get(cell, 0) for cell in found.cells))
        for found in looks
        if any(cell not in reached for cell in found.cells)
    ]


def next_look(
    table: Table, verdicts: Iterable[Verdict], rule: LookRule, reached: Sequence[ColumnLook]
) -> list[ColumnLook]:
    """The columns that get more seeds, each at its next look; none where the rule ends.

    Columns that share cells go together, and those that a mean over these data sets needs.
    """
    last = {(c.label, c.draw): c.look for c in reached}
    wanted = {column for v in verdicts if v.goes_on for column in v.columns}
    grown: set[Column] = set()
    while grown != wanted:
        grown = wanted
        wanted = wanted | _together(table, wanted)
    following = {c: last.get((c.label, c.draw), 0) + 1 for c in table.columns if c in wanted}
    return [_at(table, c, look) for c, look in following.items() if look < len(rule.sizes)]


def _together(table: Table, columns: set[Column]) -> set[Column]:
    cells = {cell for column in columns for cell in _at(table, column, 0).cells}
    out = {c for c in table.columns if cells & set(_at(table, c, 0).cells)}
    if table.average is not None and table.average.kind == THESE:
        for units in table.average.units.values():
            of_mean = {c for unit in units.of for c in unit.columns}
            out |= of_mean if of_mean & columns else set()
    return out


def _at(table: Table, column: Column, look: int) -> ColumnLook:
    cells = [e.cell for row in table.rows if (e := table.entries[row, column]).cell is not None]
    ids = tuple(dict.fromkeys(cell_id(cell) for cell in cells if cell is not None))
    return ColumnLook(column.label, column.draw, look, ids)
