"""Whether a solver can train a cell with the recipe that it has."""

from __future__ import annotations

from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.plan.resolve import Setup

NO_LENGTH = (
    "recipe.l2: the loss of a cosine head does not depend on the length of its rows, so a penalty "
    "on it means nothing: name recipe.proximal, which holds W to its start"
)


def why_unsolvable(cell: Cell, setup: Setup, where: str) -> str | None:
    """Why a cell is infeasible, or None.

    Raises TaskError for a key that is missing.
    """
    recipe, solver = cell.recipe, setup.solver
    if recipe is None:
        return None
    is_probe = cell.tuning == "head"
    if solver.plugin.CONVEX and not (is_probe and setup.is_linear):
        only = f"recipe.solver: {solver.choice} solves linear heads on frozen features only"
        return f"{only} (paradigm vision_only, tuning head)"
    if not solver.plugin.accepts([cell]):
        return f"recipe.solver: {solver.choice} does not solve this kind of training"
    if solver.plugin.CONVEX and recipe.l2 is None:
        problem = f"is missing: {solver.choice} minimises mean loss + (l2/2)|W|^2"
        raise TaskError(where, "recipe.l2", problem, allowed=("a number above 0",))
    return _l2_without_meaning(cell, setup) or _proximal_without_meaning(cell)


def _l2_without_meaning(cell: Cell, setup: Setup) -> str | None:
    if cell.recipe is None or cell.recipe.l2 is None or "l2" in setup.solver.plugin.READS:
        return None
    if cell.tuning == "head" and not setup.is_linear:
        return NO_LENGTH
    return (
        f"recipe.l2: solver {setup.solver.choice} does not read it; lbfgs and ridge do, for linear "
        "heads on frozen features (name recipe.weight_decay or recipe.proximal here)"
    )


def _proximal_without_meaning(cell: Cell) -> str | None:
    recipe = cell.recipe
    held = recipe is not None and (recipe.proximal is not None or _searched(cell, "proximal"))
    if recipe is None or not held:
        return None
    if cell.tuning not in ("head", "projection"):
        return (
            "recipe.proximal: holds a head or a projection to its start (tuning head or projection)"
        )
    if recipe.proximal_per_shot and cell.shots is None:
        return f"recipe.proximal: per_shot: regime {cell.regime} has no number of shots"
    if recipe.proximal_weights and cell.tuning != "head":
        return "recipe.proximal: weights: are of the rows of a head (tuning head)"
    return None


def _searched(cell: Cell, key: str) -> bool:
    return any(name == key for name, _ in cell.search or ())
