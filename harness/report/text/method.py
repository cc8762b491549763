"""How the numbers were made: the settings that all cells share, and those of single rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from itertools import groupby
from math import prod
from typing import Any

from harness.core.cells import (
    ONLY_TUNED,
    Cell,
    Choice,
    Recipe,
    but_seed,
    unlabelled,
    without_seeds,
)
from harness.core.words import plural
from harness.report.model.labels import name_value
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.text.axes import AXIS_TITLES
from harness.report.text.chosen import chosen, labels_used, options_of_methods, settings
from harness.report.text.prose import escape, listing
from harness.report.text.samples import sample_lines, val_text
from harness.task.departures import protocol_of
from harness.task.grid import RECIPE, value_of
from harness.task.solver_keys import reads

_SELECTION = {
    "last": "last epoch; no epoch was selected by its accuracy",
    "val": "last epoch of the configuration that is best on the validation samples",
    "test": "**last epoch of the configuration that is best on the reported test set, which "
    "inflates accuracy**",
}


def method(results: Results, table: Table) -> str:
    """The method section: settings, recipe, selection, seeds and search budget."""
    every_cell = [r.cell for r in results.results]
    cells = without_seeds(every_cell)
    lines = [
        f"- {title}: {text}"
        for axis, title in AXIS_TITLES.items()
        if (text := _values(cells, axis))
    ]
    if protocol := protocol_of(results.task, "task"):
        lines.insert(0, f"- Protocol: {escape(protocol)}")
    lines += [f"- Classes: {_classes(results, table)}", *sample_lines(cells)]
    lines += [f"- Seeds: {_seeds(every_cell)}", f"- Selection: {_selection(cells)}"]
    lines += [
        f"- {_budget(table, every_cell)}",
        *_recipes(table),
        *chosen(table),
        *labels_used(table),
        *options_of_methods(table),
    ]
    return "\n".join(lines)


def _values(cells: Iterable[Cell], axis: str) -> str:
    values = dict.fromkeys(v for c in cells if (v := value_of(c, axis)) is not None)
    return ", ".join(escape(v) for v in values)


def _classes(results: Results, table: Table) -> str:
    sizes = sorted({e.classes for e in table.entries.values() if e.classes is not None})
    pick = results.task.classes.to_pick()
    source = f"file {escape(pick.file)}" if pick.file else f"part '{escape(pick.part)}'"
    drawn = f", {pick.pick} drawn" if pick.pick else ""
    number = " to ".join(str(s) for s in dict.fromkeys([sizes[0], sizes[-1]])) if sizes else "?"
    return f"C = {number} ({source}{drawn}){_trained_on(results)}"


def _trained_on(results: Results) -> str:
    """Which classes were trained on, where these are not those tested."""
    cells = [result.cell for result in results.results]
    picks = {c.train_classes: c.test_classes for c in cells if c.train_classes is not None}
    texts = []
    for pick, part in picks.items():
        name = escape(name_value("train_classes", pick))
        texts.append(f"base: {name.removesuffix(' of all')} of these" if part else name)
    return f"; trained on {listing(texts)}" if texts else ""


def _seeds(cells: Iterable[Cell]) -> str:
    seeds = sorted({c.seed for c in cells if c.seed is not None})
    deterministic = any(c.seed is None for c in cells)
    text = ", ".join(map(str, seeds)) or "none"
    return text + ("; deterministic rows were run once" if deterministic else "")


def _selection(cells: Iterable[Cell]) -> str:
    kinds = dict.fromkeys(c.selection for c in cells)
    return "; ".join(_SELECTION.get(s, escape(s)) for s in kinds)


def _budget(table: Table, cells: Iterable[Cell]) -> str:
    """How many configurations every row had, and which rows have nothing to fit."""
    by_budget: dict[int, list[str]] = defaultdict(list)
    val: dict[int | Choice | None, None] = {}
    for row, own_cells in _cells(table).items():
        by_budget[max(map(_configurations, own_cells), default=0)].append(escape(row))
        val |= dict.fromkeys(c.val for c in own_cells if c.search)
    nothing_to_fit = by_budget.pop(0, [])
    if not by_budget:
        return "Search budget: none (nothing was trained)"
    if val:
        text = _searched(by_budget, every_row=not nothing_to_fit)
        numbers = listing([str(v) for v in sorted(v for v in val if isinstance(v, int))])
        noun = "validation sample" if numbers == "1" else "validation samples"
        samples = [f"{numbers} {noun} per class"] if numbers else []
        samples += [val_text(v) for v in val if isinstance(v, Choice)]
        if samples:
            text += f"; chosen on {listing(samples)}, never trained on"
        else:
            text += "; chosen on the test set"
    else:
        text = _unsearched(cells)
    rest = f"; none for {listing(nothing_to_fit)} (nothing is trained)" if nothing_to_fit else ""
    return f"Search budget: {text}{rest}"


def _configurations(cell: Cell) -> int:
    """How many configurations were fitted for a cell; 0 where nothing is fitted."""
    if cell.recipe is None and cell.method is None:
        return 0
    return prod(len(values) for _, values in cell.search or ())


def _searched(by_budget: Mapping[int, list[str]], *, every_row: bool) -> str:
    names = {n: plural(n, "configuration") + " (a fixed recipe)" * (n == 1) for n in by_budget}
    if len(by_budget) == 1:
        (name,) = names.values()
        return f"{name} per row, the same for every {'row' if every_row else 'trained row'}"
    budgets = sorted(by_budget, reverse=True)
    return ", ".join(f"{names[n]} for {listing(by_budget[n])}" for n in budgets)


def _unsearched(cells: Iterable[Cell]) -> str:
    # Recipes that vary without a search are rows of their own: a reader may choose among them by
    # their test accuracy, so their number is part of the budget.
    numbers: dict[Cell, int] = {}
    recipes: dict[tuple[int, int | None], set[Recipe | None]] = defaultdict(set)
    for _, alike in groupby(cells, key=but_seed):
        first, *others = alike
        other_than_recipe = replace(unlabelled(first), recipe=None, seed=None)
        number = numbers.setdefault(other_than_recipe, len(numbers))
        for c in (first, *others):
            recipes[number, c.seed].add(c.recipe)
    most = max(map(len, recipes.values()), default=1)
    if most > 1:
        return f"{most} configurations per row; each is reported and none was selected"
    return "1 configuration per row (a fixed recipe; nothing was searched)"


def _cells(table: Table) -> dict[str, list[Cell]]:
    """The cells of a row, one per column."""
    by_row: dict[str, list[Cell]] = defaultdict(list)
    for (row, _), entry in table.entries.items():
        if entry.cell is not None:
            by_row[row].append(entry.cell)
    return by_row


def _recipes(table: Table) -> list[str]:
    """One line for what all trained rows share; one per row for what differs.

    A key that was searched has no value of its own here: see `chosen`.
    """
    by_row: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for row, cells in _cells(table).items():
        if fixed := [(_named(c, table), _fixed(c.recipe, c)) for c in cells if c.recipe]:
            by_row[row] = fixed
    recipes = [recipe for fixed in by_row.values() for _, recipe in fixed]
    if not recipes:
        return ["- Recipe: nothing was trained"]
    missing = object()  # a key that is searched in one cell and fixed in another is not shared
    common = [
        f.name
        for f in fields(Recipe)
        if f.name in recipes[0] and len({r.get(f.name, missing) for r in recipes}) == 1
    ]
    searched = sorted({key for cells in _cells(table).values() for c in cells
                       for key, _ in c.search or ()})  # fmt: skip
    shared = settings({n: recipes[0][n] for n in common}) or "no key is shared by all rows"
    lines = [f"- Recipe: {shared}"]
    lines[0] += f"; searched: {', '.join(searched)}" if searched else ""
    for row, fixed in by_row.items():
        different = [(name, {n: v for n, v in r.items() if n not in common}) for name, r in fixed]
        texts = dict.fromkeys(name + text for name, r in different if (text := settings(r)))
        if texts:
            lines.append(f"    - {escape(row)}: {'; '.join(texts)}")
    return lines


def _named(cell: Cell, table: Table) -> str:
    """The name of a recipe, where a row has several: its label has none."""
    if cell.recipe_name is None or RECIPE in table.row_axes:
        return ""
    return f"{escape(cell.recipe_name)}: "


def _fixed(recipe: Recipe, cell: Cell) -> dict[str, Any]:
    """The keys that are not searched, and that the training reads."""
    searched = {key for key, _ in cell.search or ()}
    names = {f.name: None for f in fields(Recipe) if f.name not in searched}
    if recipe.solver is not None and (read := reads(recipe.solver)):
        names = {name: None for name in names if name in ("solver", *read)}
    if not cell.tunes_backbone:
        names = {name: None for name in names if name not in ONLY_TUNED}
    if recipe.iterations is not None or "iterations" in searched:
        names.pop("epochs", None)
    held = recipe.proximal is not None or "proximal" in searched
    for name in ("proximal_relative", "proximal_per_shot", "proximal_weights"):
        is_default = getattr(recipe, name) == getattr(Recipe(), name)
        if not held or (is_default and name != "proximal_relative"):
            names.pop(name, None)
    return {name: getattr(recipe, name) for name in names}
