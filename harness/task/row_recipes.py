"""The recipes that a row of the grid is trained with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from harness.core import registry
from harness.core.cells import Recipe, tunes_backbone
from harness.core.errors import BadInput, TaskError
from harness.core.protocols.paradigm import Paradigm
from harness.task.default_recipe import base_recipe
from harness.task.recipe_by import changes_of, names_of_row
from harness.task.schema import RecipeModel, Task, recipe_key
from harness.task.schema_types import PerShot, ProximalModel
from harness.task.solver_keys import settled

RECIPE_AXES = tuple(f.name for f in fields(Recipe))
#: Parts of the key `proximal` in YAML, beside the strength.
OF_PROXIMAL = ("relative", "per_shot", "weights")
_PARTS = tuple(f"proximal_{name}" for name in OF_PROXIMAL)


def recipes_of_row(
    task: Task, row: Mapping[str, Any], where: str
) -> Iterator[tuple[str | None, Recipe | None]]:
    """(its name, a recipe) for each that a row has; the name is None where the task names none.

    Raises TaskError for entries of `by` that contradict each other.
    """
    if row["tuning"] == "none":
        yield None, None
        return
    for name, recipe in task.recipes().items():
        for one in _recipes(task, recipe, row, recipe_key(name), where):
            yield name, one


def _recipes(
    task: Task, recipe: RecipeModel, row: Mapping[str, Any], key: str, where: str
) -> Iterator[Recipe]:
    """The product of the lists under one recipe."""
    base = base_recipe(recipe, row["encoder"], row["tuning"])
    lists = {name: getattr(base, name) for name in RECIPE_AXES if name not in _PARTS}
    lists["train_logit_scale"] = lists["train_logit_scale"] or [row["tuning"] != "head"]
    named = names_of_row(row["tuning"], row["paradigm"], row["classifier"])
    lists |= changes_of(recipe, named, key, where)
    # A searched key has no value of its own: every value of the search takes its place.
    searched = (key.removeprefix("recipe.") for key in task.spaces())
    lists |= {n: task.spaces()[f"recipe.{n}"][:1] for n in searched if n in lists}
    lists |= {name: [None] for name in _without_meaning(lists, row)}
    term = next((t for t in base.proximal if t is not None), ProximalModel(strength=1))
    linear_probe = is_linear_probe(row)
    made = (
        settled(
            _recipe(dict(zip(lists, v, strict=True)), term, row["shots"], key, where),
            linear_probe=linear_probe,
        )
        for v in itertools.product(*lists.values())
    )
    yield from dict.fromkeys(made)  # equal ones differed in keys that do not apply


def _recipe(
    values: dict[str, Any], term: ProximalModel, shots: int | None, key: str, where: str
) -> Recipe:
    """A proximal term is one key in YAML; a searched strength has the other parts of `term`.

    Raises TaskError for iterations per shot without shots.
    """
    given: ProximalModel | float | None = values["proximal"]
    if isinstance(given, ProximalModel):
        term = given
    strength = given.strength if isinstance(given, ProximalModel) else given
    parts = {f"proximal_{name}": getattr(term, name) for name in OF_PROXIMAL}
    if isinstance(values["iterations"], PerShot):
        try:
            values["iterations"] = values["iterations"].of(shots)
        except ValueError as error:
            raise TaskError(where, f"{key}.iterations", str(error)) from error
    return Recipe(**{**values, "proximal": None if strength is None else float(strength), **parts})


def is_linear_probe(row: Mapping[str, Any]) -> bool:
    """Whether a row trains a linear head on frozen features."""
    if row["tuning"] != "head" or row["paradigm"] is None:
        return False
    try:
        return not registry.load(Paradigm, row["paradigm"].name).USES
    except BadInput:  # a name that planning will refuse
        return False


def _without_meaning(lists: Mapping[str, Sequence[Any]], row: Mapping[str, Any]) -> list[str]:
    """Keys of the recipe that are null by default and do not apply to a row."""
    names = [] if row["tuning"] == "all" else ["batch_norm"]
    if not tunes_backbone(row):
        names += ["crop", "repeats"]
    if list(lists["augment"]) == ["none"]:
        names.append("crop")
    return names if row["regime"] == "few_shot" else [*names, "epoch_length"]
