"""Task -> [Cell]. Pure: the product of the axes, with null where an axis has no meaning.

A row of the grid is a cell without its seed, and the seeds that it is run with. Planning works on
rows, so what the seeds share is checked once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.cells import OWN, Cell, Choice, HeadSpec, Recipe, parts_of
from harness.core.errors import TaskError, nearest
from harness.task.feature_precision import precision_of, settled_precision
from harness.task.inputs import is_random, reads_support
from harness.task.meaning import interpolation_of, null_what_has_no_meaning
from harness.task.method_presets import variants_of_methods
from harness.task.overrides import replace_keys
from harness.task.read import plain, validate
from harness.task.row_recipes import RECIPE_AXES, recipes_of_row
from harness.task.sample_keys import written_choice
from harness.task.schema import DECLARED, Task
from harness.task.solver_keys import is_convex, key_of
from harness.task.support_views import views_of_support
from harness.task.tuning import TuningModel, stages_fields, tuned_parts, tuning_fields

#: Axes in the order in which reports list them.
AXES = (
    "dataset", "regime", "shots", "fraction", "support", "support_views", "class_seed",
    "test_dataset",
    "test_classes", "encoder", "text_encoder", "alignment", "prompt", "temporal", "frames",
    "resolution", "views",
    "clip_starts", "crops", "feature_precision", "interpolate",
    "classifier", "schedule", "paradigm", "gather", "text_tower", "loss", "method", "tuning",
)  # fmt: skip
#: The axis of the names of recipes; of their keys: recipe.lr.
RECIPE = "recipe"


@dataclass(frozen=True)
class Row:
    """Cells that differ in their seed alone. `cell` has seed None."""

    cell: Cell
    seeds: tuple[int | None, ...]  # (None,) where nothing in the cell is random

    def cells(self) -> Iterator[Cell]:
        """One cell a seed."""
        return (self.cell if seed is None else replace(self.cell, seed=seed) for seed in self.seeds)


def expand(task: Task, where: str = "task") -> list[Cell]:
    """Every cell of the grid, each once; see `expand_rows`."""
    return [cell for row in expand_rows(task, where) for cell in row.cells()]


def expand_rows(task: Task, where: str = "task") -> list[Row]:
    """Every row of the grid, each once, in the order of the YAML.

    `include` entries are the task with some keys replaced; their rows are added, and new seeds of
    an existing row are added to it. `exclude` entries remove the cells that they match.

    Raises TaskError for an include or exclude with an unknown axis.
    """
    seeds: dict[Cell, dict[int | None, None]] = {}
    for variant in variants(task, where):
        for named, preset in variants_of_methods(variant, where):
            for row in _product(named, where):
                cell = replace(row.cell, preset=preset)
                seeds.setdefault(cell, {}).update(dict.fromkeys(row.seeds))
    rules = [rule(entry, where) for entry in task.exclude]
    rows = (_without_excluded(Row(cell, tuple(of_row)), rules) for cell, of_row in seeds.items())
    return [row for row in rows if row.seeds]


def variants(task: Task, where: str) -> list[Task]:
    """The task, and what every entry of `include` makes of it.

    Raises TaskError for an entry that is no such change.
    """
    return [task] + [_included(task, extra, where) for extra in task.include]


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """Expanded cells, grouped into rows again."""
    seeds: dict[Cell, dict[int | None, None]] = {}
    for cell in cells:
        seeds.setdefault(replace(cell, seed=None), {})[cell.seed] = None
    return [Row(cell, tuple(of_row)) for cell, of_row in seeds.items()]


def _without_excluded(row: Row, rules: Sequence[list[tuple[str, Any]]]) -> Row:
    """Removes the seeds that a rule matches; a rule without a seed removes all of them or none."""
    seeds = row.seeds
    for partial in rules:
        if any(axis == "seed" for axis, _ in partial):
            kept = (s for s in seeds if not matches(replace(row.cell, seed=s), partial))
            seeds = tuple(kept)
        elif matches(row.cell, partial):
            seeds = ()
    return Row(row.cell, seeds)


#: Axes whose value is not the field of their name.
_VALUES: Mapping[str, Callable[[Cell], Any]] = {
    RECIPE: lambda cell: cell.recipe_name,
    "tuning": lambda cell: tuned_parts(cell.parts, cell.head),
    "feature_precision": precision_of,
    "method": lambda cell: cell.method or cell.preset,
    "interpolate": interpolation_of,
}


def value_of(cell: Cell, axis: str) -> Any:
    """The value of a cell on an axis; `recipe` is the name of its recipe, `recipe.lr` a key, which
    is None where the cell's solver does not read it; `method` may be a preset of axes.
    """
    if axis in _VALUES:
        return _VALUES[axis](cell)
    head, _, rest = axis.partition(".")
    value = getattr(cell, head)
    if not rest or value is None:
        return value
    return key_of(value, rest) if isinstance(value, Recipe) else getattr(value, rest)


def as_in_cells(axis: str, value: Any) -> Any:
    """A value that a task gives an axis, in the form of `value_of`."""
    if axis != "tuning":
        return value
    named = tuning_fields(value)
    return tuned_parts(parts_of(named), named["head"])


def _included(task: Task, extra: Mapping[str, Any], where: str) -> Task:
    if "protocol" in extra:
        problem = "cannot be changed here, as the task has every key by now: write the keys"
        raise TaskError(f"{where}: include", "protocol", problem)
    data = replace_keys(plain(task), extra) | {"include": []}
    return validate(data, f"{where}: include")


def _product(task: Task, where: str) -> Iterator[Row]:
    axes = {name: getattr(task, name) or [None] for name in AXES}
    axes["class_seed"] = task.class_seed or [task.classes.seed]
    classes = task.classes.to_pick()
    train_classes = task.train_classes.to_pick() if task.train_classes else None
    seeds = tuple(task.seed_list())
    known: set[tuple[Any, ...]] = set()
    for values in itertools.product(*axes.values()):
        settings = dict(zip(axes, values, strict=True))
        settings |= {"classes": classes, "train_classes": train_classes, **_choosing(task)}
        settings |= _tuned(task, settings["tuning"])
        null_what_has_no_meaning(settings)
        if not reads_support(settings):
            settings["support"] = OWN
        settings["support_views"] = views_of_support(settings)
        settings |= settled_precision(settings)
        # Values of an axis that does not apply give the same settings again.
        key = tuple(settings.items())
        if key in known:
            continue
        known.add(key)
        for name, recipe in recipes_of_row(task, settings, where):
            cell = _row_cell(settings, recipe, name)
            yield Row(cell, seeds if is_random(settings, recipe) else (None,))


def _tuned(task: Task, tuning: str | TuningModel) -> dict[str, Any]:
    """The fields of what is trained. `tuning: none` stays beside stages: to compare with."""
    if task.stages is None or tuning == "none":
        return tuning_fields(tuning)
    return stages_fields(task.stages)


def _row_cell(settings: Mapping[str, Any], recipe: Recipe | None, name: str | None) -> Cell:
    """A head that is solved to its optimum starts nowhere: how W begins has no meaning, and there
    are no weights before training.
    """
    cell = Cell(**settings, recipe=recipe, recipe_name=name)
    if cell.head is None or not is_convex(recipe):
        return cell
    default = HeadSpec()
    head = replace(cell.head, start_norm=default.start_norm, start_scale=default.start_scale)
    return replace(cell, head=head, interpolate=None)


def _choosing(task: Task) -> dict[str, Any]:
    """What is searched, on which samples, and what the training begins from."""
    spaces = tuple(
        (key.removeprefix("recipe."), tuple(values)) for key, values in task.spaces().items()
    )
    return {
        "search": DECLARED if task.search == DECLARED else spaces or None,
        "val": task.val,
        "selection": task.selection,
        "init": task.init,
        "few": task.few,
        "exclude_shared": task.exclude_shared,
        "allow": tuple(sorted(set(task.allow))),
    }


def rule(entry: Mapping[str, Any], where: str) -> list[tuple[str, Any]]:
    """A partial cell, as `exclude` and --rerun take it.

    Raises TaskError for a key that is not an axis.
    """
    known = [*AXES, "seed", RECIPE, *(f"recipe.{name}" for name in RECIPE_AXES)]
    for key in entry:
        if key not in known:
            raise TaskError(
                where, key, "there is no such axis", allowed=known, nearest=nearest(key, known)
            )
    return list(entry.items())


def matches(cell: Cell, partial: Sequence[tuple[str, Any]]) -> bool:
    """Whether a cell has every value of a partial cell."""
    for axis, wanted in partial:
        value = value_of(cell, axis)
        written = written_choice(value) if isinstance(value, Choice) else value
        value = value.plain() if isinstance(value, Choice) else value
        name = value["name"] if isinstance(value, dict) else value
        accepted = wanted if isinstance(wanted, list) else [wanted]
        if not any(form in accepted for form in (value, written, name)):
            return False
    return True
