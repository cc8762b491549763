"""Values of a task that no cell has: valid, but probably a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.task import library, yaml_reader
from harness.task.grid import (
    AXES,
    Row,
    as_in_cells,
    expand_rows,
    matches,
    rule,
    value_of,
    variants,
)
from harness.task.protocols import read_protocol
from harness.task.read import plain
from harness.task.recipe_by import names_of, names_of_row
from harness.task.row_recipes import RECIPE_AXES
from harness.task.schema import RecipeModel, Task, recipe_key
from harness.task.support_views import is_of


def values_of_no_cell(task: Task, file: str) -> list[str]:
    """Entries of `exclude` that match nothing, and values of axes that apply to no cell."""
    rows = expand_rows(task.model_copy(update={"exclude": []}), file)
    notes = [
        f"exclude: {as_flow(entry)} matches no cell of this grid"
        for entry in task.exclude
        if not _matches_any(rule(entry, file), rows)
    ]
    preset = read_protocol(task.protocol, file) if task.protocol else {}
    for axis in AXES:
        expected = [*(_default(axis) or ()), preset.get(axis)]
        used = _used(task, axis, rows)
        notes += [
            f"{axis}: {as_flow(plain(value))} applies to no cell of this task"
            for value in getattr(task, axis) or ()
            if as_in_cells(axis, value) not in used and value not in expected
        ]
    return [*notes, *_keys_of_no_cell(task, rows), *_recipes_of_no_cell(task, rows, file)]


def _keys_of_no_cell(task: Task, rows: Sequence[Row]) -> list[str]:
    """Keys of a recipe that are written and that no training reads, such as `precision` for a
    solver that takes no steps. Values of a preset are left out: it was written for other tasks.
    """
    recipes = [row.cell.recipe for row in rows if row.cell.recipe is not None]
    if not recipes or task.protocol:  # a protocol has keys for every kind of task
        return []
    notes, default = [], RecipeModel()
    presets = [yaml_reader.read(file) for file in library.recipes().values()]
    searched = {key.removeprefix("recipe.") for key in task.spaces()}
    for recipe_name, recipe in task.recipes().items():
        # Another form in cells: a strength, and whether it is relative.
        written = recipe.model_fields_set & set(RECIPE_AXES) - searched - {"proximal"}
        # A preset is read before this and leaves all its keys.
        of_presets = [p for p in presets if p.keys() <= recipe.model_fields_set]
        for name in sorted(written):
            values = getattr(recipe, name) or []
            used = {getattr(each, name) for each in recipes}
            expected = [*(getattr(default, name) or []), *(p.get(name) for p in of_presets)]
            if not used & {*values} and not all(value in expected for value in values):
                key = f"{recipe_key(recipe_name)}.{name}"
                notes.append(f"{key}: {as_flow(values)} applies to no cell of this task")
    return notes


def _default(axis: str) -> Any:
    """Of a required key None."""
    field = Task.model_fields[axis]
    return None if field.is_required() else field.get_default()


def _used(task: Task, axis: str, rows: Sequence[Row]) -> set[Any]:
    """The values of an axis that cells have; of support views as the task writes them."""
    of_cells = {value_of(row.cell, axis) for row in rows}
    if axis != "support_views":
        return of_cells
    written: list[Any] = [views for views in task.support_views if views is not None]
    return {views for views in written if any(is_of(views, other) for other in of_cells)}


def _recipes_of_no_cell(task: Task, rows: Sequence[Row], file: str) -> list[str]:
    """Named recipes that train no cell, and entries of `by` that match none that is trained."""
    cells = [row.cell for row in rows if row.cell.recipe is not None]
    named = {(c.recipe_name, c.tuning, c.paradigm, c.classifier) for c in cells}
    of_recipe: dict[str | None, list[set[str]]] = {}
    for recipe_name, tuning, paradigm, classifier in named:
        row = names_of_row(tuning, paradigm, classifier)
        of_recipe.setdefault(recipe_name, []).append(set(row.values()))
    recipes = [each for variant in variants(task, file) for each in variant.recipes().items()]
    keys = [recipe_key(name) for name, _ in recipes if name is not None and name not in of_recipe]
    keys += [
        f"{recipe_key(name)}.by.{entry}"
        for name, recipe in recipes
        for entry in recipe.by
        if not any(names_of(entry) <= names for names in of_recipe.get(name, ()))
    ]
    return [f"{key} applies to no cell of this task" for key in dict.fromkeys(keys)]


def _matches_any(partial: list[tuple[str, Any]], rows: Sequence[Row]) -> bool:
    """Rows are enough unless the entry names a seed."""
    if any(axis == "seed" for axis, _ in partial):
        return any(matches(cell, partial) for row in rows for cell in row.cells())
    return any(matches(row.cell, partial) for row in rows)


def as_flow(value: object) -> str:
    """A value as one line of YAML."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n...\n").strip()
