"""Recipes that cannot move anything, or not what they should: told before anything runs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

from harness.core.cells import Cell, Choice, Recipe
from harness.plan.resolve import FIRST_ORDER, Setup
from harness.sampling.support_views import trained_rows_of_a_picture
from harness.training.schedule import rate_factor

#: A step of AdamW is about the learning rate. Half a unit in the last place of a float32 weight of
#: the size 0.01; a smaller step is lost in rounding.
LEAST_RATE = 0.01 * 2.0**-24
#: Temporal modules that have nothing to train.
_NO_PARAMETERS = (None, Choice("tap"))


def notes_on_recipe(cell: Cell, setup: Setup) -> Iterator[str]:
    """What of the recipe cannot work, whatever configuration of a search is taken."""
    if cell.recipe is None or setup.solver.choice != FIRST_ORDER:
        return  # another solver need not read the keys of the recipe as rates and steps
    found = [dict.fromkeys(_problems(cell, setup, recipe)) for recipe in _configurations(cell)]
    yield from (text for text in found[0] if all(text in other for other in found))


def _configurations(cell: Cell) -> list[Recipe]:
    if cell.recipe is None:
        return []
    spaces = dict(cell.search or ())
    values = itertools.product(*spaces.values())
    return [replace(cell.recipe, **dict(zip(spaces, v, strict=True))) for v in values]


def _problems(cell: Cell, setup: Setup, recipe: Recipe) -> Iterator[str]:
    steps = _steps_of_epoch(cell, setup, recipe)
    peak = highest_factor(recipe, steps)
    if peak == 0:
        yield (
            "nothing can move: all steps are at the start of the warm-up, where the learning rate "
            "is 0"
        )
    elif recipe.warmup_epochs >= recipe.epochs:
        yield (
            f"the warm-up ({recipe.warmup_epochs:g} epochs) is as long as the training "
            f"({recipe.epochs} epochs) or longer: the learning rate ends at {peak:.0%} of lr"
        )
    yield from _rates(cell, setup, recipe, peak)
    if cell.paradigm is not None and cell.paradigm.name == "matching":
        yield from _contrast(cell, recipe)


def highest_factor(recipe: Recipe, steps: int) -> float:
    """The largest factor of the learning rate in a training of so many steps an epoch."""
    last = (steps - 1) / steps
    epochs = range(math.ceil(min(recipe.epochs, recipe.warmup_epochs + 2)))
    return max(rate_factor(recipe, epoch + part) for epoch in epochs for part in (0.0, last))


def _steps_of_epoch(cell: Cell, setup: Setup, recipe: Recipe) -> int:
    """At least so many: from the smallest class."""
    per_class = cell.shots or setup.per_class or 1
    if cell.fraction is not None:
        per_class = max(1, math.floor(cell.fraction * per_class))
    rows = per_class * trained_rows_of_a_picture(cell)
    return math.ceil(rows * len(setup.trained.indices) / recipe.batch)


def _rates(cell: Cell, setup: Setup, recipe: Recipe, peak: float) -> Iterator[str]:
    new = _has_new(cell, setup)
    rates = {"lr": recipe.lr} | ({"lr_new": recipe.lr_new} if new else {})
    still = {name: rate for name, rate in rates.items() if rate * (peak or 1) < LEAST_RATE}
    if len(still) == len(rates):
        named = " and ".join(f"{name} {rate:g}" for name, rate in still.items())
        yield f"nothing can move: {named} {_too_small(still)}"
    elif "lr_new" in still:
        yield (
            f"new parameters stay as they begin, at random: lr_new {recipe.lr_new:g} "
            f"{_too_small(still)}"
        )


def _too_small(rates: dict[str, float]) -> str:
    if not any(rates.values()):
        return "leaves every weight as it is"
    return "is lost in the rounding of float32 weights"


def _has_new(cell: Cell, setup: Setup) -> bool:
    """Whether anything trains at lr_new."""
    if cell.tuning == "head":
        return False  # W, all that is trained, has the rate lr
    return setup.is_linear or setup.prompt.plugin.TRAINED or cell.temporal not in _NO_PARAMETERS


def _contrast(cell: Cell, recipe: Recipe) -> Iterator[str]:
    size = recipe.micro_batch if cell.gather is False else recipe.batch
    if size == 1:
        yield (
            "matching contrasts the samples of a batch, and a batch of one has no contrast: the "
            "loss is 0, and only weight decay moves weights"
        )
