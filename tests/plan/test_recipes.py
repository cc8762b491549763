"""Recipes that cannot move anything are told by the plan, whatever a search would choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.cells import Recipe
from harness.plan.recipes import highest_factor

TASK: dict[str, Any] = {
    "name": "still",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 2,
    "classes": {"pick": 6, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "seeds": 1,
}
GOOD = {"lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0, "epochs": 4}


def notes(tmp_path: Path, recipe: dict[str, Any], **changes: Any) -> tuple[str, ...]:
    return plan_of(TASK, tmp_path, recipe=GOOD | recipe, **changes).notes()


@pytest.mark.parametrize(
    ("recipe", "changes", "note"),
    [
        ({"warmup_epochs": 4}, {}, "the warm-up (4 epochs) is as long as the training (4 epochs) "
         "or longer: the learning rate ends at 75% of lr"),
        ({"warmup_epochs": 8, "batch": 3}, {}, "ends at 47% of lr"),
        ({"warmup_epochs": 0.5, "epochs": 1}, {}, "nothing can move: all steps are at the"),
        ({"lr": 0}, {}, "nothing can move: lr 0 leaves every weight as it is"),
        ({"lr": 1e-12}, {}, "nothing can move: lr 1e-12 is lost in the rounding of"),
        ({"lr": 0, "lr_new": 0}, {"paradigm": "vision_only"}, "can move: lr 0 and lr_new 0"),
        ({"lr_new": 0}, {"paradigm": "vision_only"}, "new parameters stay as they begin"),
        ({"lr_new": 0}, {"prompt": "learnable"}, "new parameters stay as they begin"),
        ({"batch": 1}, {"paradigm": "matching"}, "a batch of one has no contrast: the loss is 0"),
        ({"micro_batch": 1}, {"paradigm": "matching", "gather": False}, "a batch of one"),
        ({"epochs": 9, "warmup_epochs": 9}, {"val": 1, "shots": 1, "selection": "val",
         "search": {"recipe.lr": [1e-3, 1e-2]}}, "the warm-up (9 epochs)"),
    ],
)  # fmt: skip
def test_what_cannot_move_is_told(
    tmp_path: Path, recipe: dict[str, Any], changes: dict[str, Any], note: str
) -> None:
    found = notes(tmp_path, recipe, **changes)
    assert len(found) == 1, found
    assert found[0].startswith("recipe: ")
    assert note in found[0]


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ({}, {}),
        ({"warmup_epochs": 3.9}, {}),
        ({"lr": 0}, {"paradigm": "vision_only"}),  # a linear probe
        ({"lr_new": 0}, {}),  # nothing trains at that rate
        ({"micro_batch": 1}, {"paradigm": "matching"}),  # the whole batch is contrasted
        ({"batch": 1}, {}),
        ({}, {"tuning": "none"}),
        ({}, {"val": 1, "shots": 1, "selection": "val", "search": {"recipe.lr": [0, 1e-3]}}),
    ],
)
def test_a_recipe_that_moves_something_is_not(
    tmp_path: Path, recipe: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert notes(tmp_path, recipe, **changes) == ()


def test_rows_with_the_problem_are_named(tmp_path: Path) -> None:
    by = {"random": {"lr": 0}, "lda": {"lr": 0}}
    (note,) = notes(tmp_path, {"by": by}, classifier=["text", "random", "lda"])
    assert note == (
        "recipe: nothing can move: lr 0 leaves every weight as it is (rows: random, lda)."
    )


@pytest.mark.parametrize(
    ("epochs", "warmup", "steps", "factor"),
    [
        (30, 5, 1, 1.0),  # epoch 5 is the first after the warm-up
        (5, 5, 1, 0.8),
        (5, 5, 10, 0.98),
        (1, 1, 1, 0.0),
        (2, 10, 4, 0.175),
        (3, 0, 1, 1.0),
    ],
)
def test_the_highest_rate_of_a_training(
    epochs: int, warmup: float, steps: int, factor: float
) -> None:
    recipe = Recipe(epochs=epochs, warmup_epochs=warmup, decay="constant")
    assert highest_factor(recipe, steps) == pytest.approx(factor)
