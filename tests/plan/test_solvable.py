"""Which recipes a solver can train: what does not apply is infeasible, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.errors import TaskError
from harness.plan.plan import Plan
from harness.plan.solvable import NO_LENGTH
from harness.task.grid import value_of

HEAD: dict[str, Any] = {"paradigm": "vision_only", "tuning": "head", "classifier": "random"}


def planned(task: dict[str, Any], runs: Path, **changes: Any) -> Plan:
    return plan_of(task | {"seeds": 2} | changes, runs)


def test_a_strength_means_lbfgs_for_a_linear_head(task: dict[str, Any], tmp_path: Path) -> None:
    plan = planned(task, tmp_path, **HEAD, recipe={"l2": [1e-3, 1e-2]})
    recipes = {cell.cell.recipe for cell in plan.cells}
    assert {(r.solver, r.l2) for r in recipes if r} == {("lbfgs", 1e-3), ("lbfgs", 1e-2)}


def test_a_key_that_the_solver_does_not_read_has_no_value_on_its_axis(
    task: dict[str, Any], tmp_path: Path
) -> None:
    include = [{"recipe": {"lr": 1e-2, "l2": None}}]
    plan = planned(task, tmp_path, **HEAD, recipe={"l2": 1e-3}, include=include)
    values = {tuple(value_of(c.cell, f"recipe.{k}") for k in ("lr", "l2")) for c in plan.cells}
    assert values == {(None, 1e-3), (1e-2, None)}


def test_keys_that_a_convex_solver_does_not_read_make_no_other_cells(
    task: dict[str, Any], tmp_path: Path
) -> None:
    recipe = {"l2": 1e-3, "solver": "lbfgs", "lr": [1e-3, 1e-2], "epochs": [10, 20]}
    tuning = ["head", {"head": {"start_norm": "raw", "start_scale": 3}}]
    plan = planned(task, tmp_path, **HEAD | {"tuning": tuning}, recipe=recipe)
    assert len(plan.cells) == 2, "one a seed"


def test_cells_that_differ_in_their_start_are_solved_once(
    task: dict[str, Any], tmp_path: Path
) -> None:
    starts = {"classifier": ["random", "text"]}
    plan = planned(task, tmp_path, **HEAD | starts, recipe={"l2": 1e-3})
    assert len({cell.key for cell in plan.cells}) == 4
    assert len({cell.train_key for cell in plan.cells}) == 2, "one a seed"
    by_steps = planned(task, tmp_path, **HEAD | starts)
    assert len({cell.train_key for cell in by_steps.cells}) == 4


def test_on_all_samples_a_convex_head_has_no_seed(task: dict[str, Any], tmp_path: Path) -> None:
    full = {"regime": "full", "shots": None}
    (cell,) = planned(task, tmp_path, **HEAD, **full, recipe={"solver": "ridge", "l2": 1}).cells
    assert cell.cell.seed is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"paradigm": "vision_text", "recipe": {"l2": 1e-3}}, NO_LENGTH),
        (
            {"paradigm": "vision_text", "recipe": {"l2": 1e-3, "solver": "lbfgs"}},
            "recipe.solver: lbfgs solves linear heads on frozen features only (paradigm "
            "vision_only, tuning head)",
        ),
        (
            {"recipe": {"l2": 1e-3, "solver": "first_order"}},
            "recipe.l2: solver first_order does not read it; lbfgs and ridge do, for linear heads "
            "on frozen features (name recipe.weight_decay or recipe.proximal here)",
        ),
        (
            {"tuning": "all", "recipe": {"proximal": 1}},
            "recipe.proximal: holds a head or a projection to its start (tuning head or "
            "projection)",
        ),
        (
            {
                "tuning": "projection",
                "recipe": {"proximal": {"strength": 1, "weights": "zero_shot"}},
            },
            "recipe.proximal: weights: are of the rows of a head (tuning head)",
        ),
        (
            {
                "regime": "full",
                "shots": None,
                "recipe": {"proximal": {"strength": 1, "per_shot": 1}},
            },
            "recipe.proximal: per_shot: regime full has no number of shots",
        ),
    ],
)
def test_a_recipe_that_means_nothing_is_infeasible(
    task: dict[str, Any], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    plan = planned(task, tmp_path, **HEAD, include=[{"recipe": {}, **changes}])
    assert {why for _, why in plan.infeasible} == {reason}


@pytest.mark.parametrize(
    ("recipe", "problem"),
    [
        ({"solver": "lbfgs"}, "recipe.l2: is missing: lbfgs minimises mean loss + (l2/2)|W|^2"),
        ({"epochs": 7, "iterations": 100}, "recipe.iterations: is a budget in place of epochs"),
        ({"l2": 0}, "recipe.l2: 0: "),
        (
            {"proximal": {"strengh": 1}},
            "recipe.proximal.strengh: there is no such key; allowed: strength, relative, per_shot, "
            "weights. Did you mean 'strength'?",
        ),
        (
            {"proximal": "strong"},
            "recipe.proximal: 'strong': must be a strength above 0, or",
        ),
    ],
)
def test_a_recipe_that_is_wrong_is_refused(
    task: dict[str, Any], tmp_path: Path, recipe: dict[str, Any], problem: str
) -> None:
    with pytest.raises(TaskError) as caught:
        planned(task, tmp_path, **HEAD, recipe=recipe)
    assert str(caught.value).removeprefix("task.yaml: ").startswith(problem)


def test_parts_of_a_proximal_term_that_is_not_there_make_no_other_cell(
    task: dict[str, Any], tmp_path: Path
) -> None:
    term = {"strength": 2, "relative": False, "per_shot": 1, "weights": "zero_shot"}
    plan = planned(task, tmp_path, **HEAD, recipe={"proximal": [term, None]})
    held, free = dict.fromkeys(cell.cell.recipe for cell in plan.cells)
    assert held is not None
    assert (held.proximal, held.proximal_per_shot, held.proximal_weights) == (2.0, 1, "zero_shot")
    assert free == replace(
        held, proximal=None, proximal_relative=True, proximal_per_shot=0, proximal_weights=None
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [(2, (2.0, True)), ({"strength": 0.5, "relative": False}, (0.5, False)), (None, (None, True))],
)
def test_a_proximal_term_is_a_strength_or_a_mapping(
    task: dict[str, Any], tmp_path: Path, given: Any, expected: tuple[float | None, bool]
) -> None:
    plan = planned(task, tmp_path, **HEAD, recipe={"proximal": given})
    recipe = plan.cells[0].cell.recipe
    assert recipe is not None
    assert (recipe.proximal, recipe.proximal_relative) == expected
