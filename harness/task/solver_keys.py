"""Which solver a recipe means, and which of its keys that solver reads."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from harness.core import registry
from harness.core.cells import Recipe
from harness.core.errors import BadInput
from harness.core.protocols.solver import Solver

#: What a strength l2 means for a linear head on frozen features.
FOR_L2 = "lbfgs"
_DEFAULT = Recipe()


def settled(recipe: Recipe, *, linear_probe: bool) -> Recipe:
    """The recipe with its solver, and with defaults for the keys that do not apply.

    So cells that differ only in such keys are one cell.
    """
    if recipe.solver is None and recipe.l2 is not None and linear_probe:
        recipe = replace(recipe, solver=FOR_L2)
    if recipe.solver is not None and (read := reads(recipe.solver)):
        return Recipe(solver=recipe.solver, **{name: getattr(recipe, name) for name in read})
    if recipe.iterations is not None:
        recipe = replace(recipe, epochs=_DEFAULT.epochs)
    if recipe.proximal is None:
        names = (f.name for f in fields(Recipe) if f.name.startswith("proximal_"))
        recipe = replace(recipe, **{name: getattr(_DEFAULT, name) for name in names})
    return recipe


def reads(solver: str) -> tuple[str, ...]:
    """The keys that a solver reads; none for one that reads those of training by steps, and for one
    that planning will refuse.
    """
    plugin = _plugin(solver)
    return () if plugin is None else tuple(plugin.READS)


def key_of(recipe: Recipe, name: str) -> Any:
    """The value of a key; None for one that the recipe's solver does not read."""
    read = reads(recipe.solver) if recipe.solver is not None else ()
    return None if read and name not in (*read, "solver") else getattr(recipe, name)


def is_convex(recipe: Recipe | None) -> bool:
    """Whether the training has one optimum, in which no seed plays a part."""
    plugin = _plugin(recipe.solver) if recipe is not None and recipe.solver is not None else None
    return plugin is not None and plugin.CONVEX


def _plugin(solver: str) -> Solver | None:
    """None for a name that planning will refuse."""
    try:
        return registry.load(Solver, solver)
    except BadInput:
        return None
