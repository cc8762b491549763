"""The recipe of a task that names none: a preset of the encoder's plugin, else the paper's recipe.

A recipe that is named in part is as it is written: what it leaves out has the paper's values.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core import registry
from harness.core.cells import Cell, Choice, Recipe
from harness.core.errors import BadInput, TaskError, nearest
from harness.core.protocols.encoder import EncoderPlugin
from harness.task import library, yaml_reader
from harness.task.schema import RecipeModel, Task, recipe_key
from harness.task.solver_keys import reads


def named_keys(recipe: RecipeModel) -> frozenset[str]:
    """The keys of the recipe that the task names."""
    return frozenset(recipe.model_fields_set) - {"preset", "name"}


def preset_of(encoder: Choice, tuning: str) -> str | None:
    """The preset that serves an encoder; None for one without, or one that planning will refuse."""
    family, _ = registry.split_reference(encoder.name)
    try:
        return registry.load(EncoderPlugin, family).RECIPES.get(tuning)
    except BadInput:
        return None


def base_recipe(recipe: RecipeModel, encoder: Choice, tuning: str) -> RecipeModel:
    """What the keys of a row's recipe are before `by` and a search change them.

    Raises TaskError for a preset of an encoder that does not exist.
    """
    preset = None if named_keys(recipe) else preset_of(encoder, tuning)
    return recipe if preset is None else _read(preset, encoder)


def _read(preset: str, encoder: Choice) -> RecipeModel:
    known = library.recipes()
    if preset not in known:
        raise TaskError(
            f"encoder {encoder}", "RECIPES", f"{preset!r}: there is no such recipe", allowed=known,
            nearest=nearest(preset, known),
        )  # fmt: skip
    return RecipeModel.model_validate(yaml_reader.read(known[preset]))


def recipe_notes(task: Task, cells: Iterable[Cell]) -> list[str]:
    """Where the recipe is the encoder's default, and where a partly named one misses it."""
    recipes, notes = task.recipes(), dict[str, None]()
    searched = "recipe.lr" in task.spaces()
    for cell in cells:
        preset = preset_of(cell.encoder, cell.tuning) if cell.recipe is not None else None
        recipe = recipes.get(cell.recipe_name)  # None for one of `include`
        if cell.preset is not None:
            continue  # a preset of axes brings its own recipe
        if preset is None or cell.recipe is None or recipe is None or not _reads_lr(cell.recipe):
            continue
        named, key = named_keys(recipe), recipe_key(cell.recipe_name)
        if not named:
            text = f"{key}: {preset}, the default of encoder {cell.encoder}"
            notes[text + f" with tuning: {cell.tuning}."] = None
        elif "lr" not in named and not searched and cell.recipe.lr == recipe.lr[0]:
            notes[
                f"{key}: lr is not named and is that of the paper for CLIP, {cell.recipe.lr:g}, "
                f"which hardly moves {cell.encoder}; recipe.preset {preset} serves it."
            ] = None
    return list(notes)


def _reads_lr(recipe: Recipe) -> bool:
    """Whether the training goes by steps; a convex head that is solved has no learning rate."""
    keys = reads(recipe.solver) if recipe.solver is not None else ()
    return not keys or "lr" in keys
