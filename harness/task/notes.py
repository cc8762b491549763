"""Values of a task that no cell has: valid, but probably a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.cells import Cell, Choice
from harness.task import library, yaml_reader
from harness.task.grid import (
    AXES,
    Row,
    as_in_cells,
    expand,
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
from harness.task.schema import DECLARED, RecipeModel, Task, recipe_key
from harness.task.support_views import is_of


def values_of_no_cell(task: Task, file: str, planned: Sequence[Cell] | None = None) -> list[str]:
    """Entries of `exclude` and `include` that change nothing, and values that apply to no cell.

    `planned` are the cells of the plan, feasible or not: planning knows the data and the encoder,
    and so what has no meaning for them.
    """
    rows = expand_rows(task.model_copy(update={"exclude": []}), file)
    cells = [row.cell for row in rows]
    notes = [
        f"exclude: {as_flow(entry)} matches no cell of this grid"
        for entry in task.exclude
        if not _matches_any(rule(entry, file), rows)
    ]
    notes += _includes_of_no_cell(task, file)
    preset = read_protocol(task.protocol, file) if task.protocol else {}
    known = cells if planned is None else [*planned, *_excluded(task, cells, file)]
    for axis in AXES:
        expected = [*(_default(axis) or ()), preset.get(axis)]
        used = _used(task, axis, known)
        notes += [
            f"{axis}: {as_flow(plain(value))} applies to no cell of this task"
            for value in getattr(task, axis) or ()
            if as_in_cells(axis, value) not in used and value not in expected
        ]
    notes += [*_choosing_of_no_cell(task, cells), *_keys_of_no_cell(task, cells, file)]
    return [*notes, *_recipes_of_no_cell(task, cells, file)]


def _excluded(task: Task, cells: Sequence[Cell], file: str) -> list[Cell]:
    """Those of the grid that `exclude` removes, which no plan has."""
    kept = {row.cell for row in expand_rows(task, file)} if task.exclude else {*cells}
    return [cell for cell in cells if cell not in kept]


def _includes_of_no_cell(task: Task, file: str) -> list[str]:
    """Entries of `include` whose cells the task has without them."""
    if not task.include:
        return []
    alone = task.model_copy(update={"include": [], "exclude": []})
    own = set(expand(alone, file))
    return [
        f"include: {as_flow(entry)} adds no cell to this grid"
        for entry in task.include
        if own.issuperset(expand(alone.model_copy(update={"include": [entry]}), file))
    ]


def _choosing_of_no_cell(task: Task, cells: Sequence[Cell]) -> list[str]:
    """A search, or validation samples, that no cell has."""
    searched = {key for cell in cells for key, _ in cell.search or ()}
    notes = [
        f"search.{key}: {as_flow(values)} applies to no cell of this task"
        for key, values in task.spaces().items()
        if key.removeprefix("recipe.") not in searched
    ]
    if task.search == DECLARED and not searched:
        notes.append(f"search: {DECLARED} applies to no cell: no method of this task declares one")
    if task.val is not None and all(cell.val is None for cell in cells):
        notes.append(f"val: {as_flow(plain(task.val))} applies to no cell of this task")
    return notes


def _keys_of_no_cell(task: Task, cells: Sequence[Cell], where: str) -> list[str]:
    """Keys of a recipe that are written and that no training reads, such as `precision` for a
    solver that takes no steps. Values of a preset or a protocol are left out: it was written for
    other tasks too.
    """
    recipes = [cell.recipe for cell in cells if cell.recipe is not None]
    notes, default = [], RecipeModel()
    presets = [yaml_reader.read(file) for file in library.recipes().values()]
    if task.protocol:
        presets.append(read_protocol(task.protocol, where).get("recipe", {}))
    searched = {key.removeprefix("recipe.") for key in task.spaces()}
    trained = {cell.recipe_name for cell in cells if cell.recipe is not None}
    for recipe_name, recipe in task.recipes().items():
        if recipe_name is not None and recipe_name not in trained:
            continue  # a note says so of the whole recipe
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


def _used(task: Task, axis: str, cells: Sequence[Cell]) -> set[Any]:
    """The values of an axis that cells have; of support views as the task writes them."""
    of_cells = {value_of(cell, axis) for cell in cells}
    if axis == "tuning":
        return of_cells | {_of_any_tower(value) for value in of_cells}
    if axis != "support_views":
        return of_cells
    written: list[Any] = [views for views in task.support_views if views is not None]
    return {views for views in written if any(is_of(views, other) for other in of_cells)}


def _of_any_tower(value: Any) -> Any:
    """Adapters as a task may write them: which towers have some depends on the row as well."""
    if not isinstance(value, Choice) or value.name != "lora":
        return value
    options = tuple((name, each) for name, each in value.options if name != "towers")
    return Choice(value.name, options) if options else value.name


def _recipes_of_no_cell(task: Task, cells: Sequence[Cell], file: str) -> list[str]:
    """Named recipes that train no cell, and entries of `by` that match none that is trained."""
    trained = [cell for cell in cells if cell.recipe is not None]
    named = {(c.recipe_name, c.tuning, c.paradigm, c.classifier) for c in trained}
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
