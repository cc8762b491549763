"""How many configurations every row had, and where those that were searched before came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from math import prod

from harness.core.cells import Cell, Choice, Recipe, but_seed
from harness.core.words import plural
from harness.report.model.table import Table
from harness.report.text.prose import escape, listing
from harness.report.text.samples import val_text
from harness.task.schema import EarlierSearch

#: Rows with the same budget that are named; more are counted.
_MOST_ROWS = 8


def search_budget(table: Table, cells: Iterable[Cell]) -> str:
    """How many configurations every row had, and which rows have nothing to fit."""
    by_budget: dict[int, list[str]] = defaultdict(list)
    val: dict[int | Choice | None, None] = {}
    for row, own_cells in cells_of_rows(table).items():
        by_budget[max(map(_configurations, own_cells), default=0)].append(escape(row))
        val |= dict.fromkeys(c.val for c in own_cells if c.search)
    nothing_to_fit = by_budget.pop(0, [])
    if not by_budget:
        return "Search budget: none (nothing was trained)"
    text = _searched(by_budget, val, nothing_to_fit) if val else _unsearched(table, cells)
    if (earlier := table.task.report.chosen_by) is not None:
        text += _earlier(earlier)
    rest = f"; none for {listing(nothing_to_fit)} (nothing is trained)" if nothing_to_fit else ""
    return f"Search budget: {text}{rest}"


def cells_of_rows(table: Table) -> dict[str, list[Cell]]:
    """The cells of a row, one per column."""
    by_row: dict[str, list[Cell]] = defaultdict(list)
    for (row, _), entry in table.entries.items():
        if entry.cell is not None:
            by_row[row].append(entry.cell)
    return by_row


def _is_fitted(cell: Cell) -> bool:
    return cell.recipe is not None or cell.method is not None


def _configurations(cell: Cell) -> int:
    """How many configurations were fitted for a cell; 0 where nothing is fitted."""
    return prod(len(values) for _, values in cell.search or ()) if _is_fitted(cell) else 0


def _searched(
    by_budget: Mapping[int, list[str]],
    val: Iterable[int | Choice | None],
    nothing_to_fit: list[str],
) -> str:
    text = _of_every_row(by_budget, every_row=not nothing_to_fit)
    numbers = listing([str(v) for v in sorted(v for v in val if isinstance(v, int))])
    noun = "validation sample" if numbers == "1" else "validation samples"
    samples = [f"{numbers} {noun} per class"] if numbers else []
    samples += [val_text(v) for v in val if isinstance(v, Choice)]
    if not samples:
        return f"{text}; chosen on the test set"
    return f"{text}; chosen on {listing(samples)}, never trained on"


def _of_every_row(by_budget: Mapping[int, list[str]], *, every_row: bool) -> str:
    names = {n: plural(n, "configuration") + " (a fixed recipe)" * (n == 1) for n in by_budget}
    if len(by_budget) == 1:
        (name,) = names.values()
        return f"{name} per row, the same for every {'row' if every_row else 'trained row'}"
    budgets = sorted(by_budget, reverse=True)
    return ", ".join(f"{names[n]} for {listing(by_budget[n])}" for n in budgets)


def _unsearched(table: Table, cells: Iterable[Cell]) -> str:
    """Recipes that vary without a search are rows or columns of their own: a reader may choose
    among them by their test accuracy, so their number is part of the budget.
    """
    found = _alternatives(cells)
    by_number: dict[int, list[str]] = defaultdict(list)
    for row, own_cells in cells_of_rows(table).items():
        if fitted := [_but_recipe(cell) for cell in own_cells if _is_fitted(cell)]:
            by_number[max(found.get(cell, 1) for cell in fitted)].append(escape(row))
    if set(by_number) == {1}:
        return "1 configuration per row (a fixed recipe; this study searched nothing)"
    if len(by_number) == 1:
        (number,) = by_number
        return f"{number} configurations per row; each is reported and none was selected"
    several = [
        f"{number} configurations that differ in the recipe alone ({_named(by_number[number])})"
        for number in sorted(by_number, reverse=True)
        if number > 1
    ]
    rest = ["1 for every other row"] if 1 in by_number else []
    return f"{', '.join([*several, *rest])}; each is reported and none was selected"


def _named(rows: list[str]) -> str:
    return listing(rows) if len(rows) <= _MOST_ROWS else f"{len(rows)} rows"


def _alternatives(cells: Iterable[Cell]) -> dict[Cell, int]:
    """How many recipes there are of what differs in the recipe alone."""
    recipes: dict[Cell, dict[int | None, set[Recipe | None]]] = {}
    for _, alike in groupby(cells, key=but_seed):
        first, *others = alike
        by_seed = recipes.setdefault(_but_recipe(first), defaultdict(set))
        for cell in (first, *others):
            by_seed[cell.seed].add(cell.recipe)
    return {cell: max(map(len, by_seed.values())) for cell, by_seed in recipes.items()}


def _but_recipe(cell: Cell) -> Cell:
    """Without recipe and seed. The recipes of two methods are no alternatives, so the name of a
    method that is a preset of axes is kept; its options are keys of the recipe.
    """
    preset = None if cell.preset is None else Choice(cell.preset.name)
    return replace(cell, recipe=None, recipe_name=None, preset=preset, seed=None)


def _earlier(found: EarlierSearch) -> str:
    """What another task searched, for this one."""
    number = f"at most {plural(found.configurations, 'configuration')}"
    if found.best_for is None:
        return f"; each row's own was chosen before, from {number} (task {escape(found.task)})"
    return (
        f"; chosen before, as the best for {escape(found.best_for)} of {number} (task "
        f"{escape(found.task)})"
    )
