"""How the numbers were made: the settings that all cells share, and those of single rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from harness.core.cells import (
    ONLY_TUNED,
    Cell,
    ClassPick,
    Recipe,
    without_seeds,
)
from harness.report.model.labels import name_value
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.text.axes import AXIS_TITLES
from harness.report.text.chosen import chosen, labels_used, options_of_methods, settings
from harness.report.text.prose import escape, listing
from harness.report.text.samples import sample_lines
from harness.report.text.search_budget import cells_of_rows, search_budget
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
        f"- {search_budget(table, every_cell)}",
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
    number = " to ".join(str(s) for s in dict.fromkeys([sizes[0], sizes[-1]])) if sizes else "?"
    return f"C = {number} ({_source(results.task.classes.to_pick())}){_trained_on(results)}"


def _source(pick: ClassPick) -> str:
    """`part 'unseen', 100 drawn` and the like."""
    if pick.file:
        return f"file {escape(pick.file)}"
    half = "" if pick.half is None else f"half {pick.half} of "
    return f"{half}part '{escape(pick.part)}'" + (f", {pick.pick} drawn" if pick.pick else "")


def _trained_on(results: Results) -> str:
    """Which classes were trained on, where these are not those tested."""
    cells = without_seeds(result.cell for result in results.results)
    texts = [_trained(c, c.train_classes) for c in cells if c.train_classes is not None]
    return f"; trained on {listing(list(dict.fromkeys(texts)))}" if texts else ""


def _trained(cell: Cell, pick: ClassPick) -> str:
    """A part that is named for training and for testing gives either other classes."""
    if cell.test_classes is not None:
        return f"base: {escape(name_value('train_classes', pick)).removesuffix(' of all')} of these"
    if cell.test_dataset is not None:
        return f"classes of {escape(cell.dataset)} ({_source(pick)})"
    if pick.file:
        return f"the classes of {_source(pick)}"
    return f"other classes ({_source(pick)})"


def _seeds(cells: Iterable[Cell]) -> str:
    seeds = sorted({c.seed for c in cells if c.seed is not None})
    deterministic = any(c.seed is None for c in cells)
    text = ", ".join(map(str, seeds)) or "none"
    return text + ("; deterministic rows were run once" if deterministic else "")


def _selection(cells: Iterable[Cell]) -> str:
    kinds = dict.fromkeys(c.selection for c in cells)
    return "; ".join(_SELECTION.get(s, escape(s)) for s in kinds)


def _recipes(table: Table) -> list[str]:
    """One line for what all trained rows share; one per row for what differs.

    A key that was searched has no value of its own here: see `chosen`.
    """
    by_row: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for row, cells in cells_of_rows(table).items():
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
    searched = sorted({key for cells in cells_of_rows(table).values() for c in cells
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
