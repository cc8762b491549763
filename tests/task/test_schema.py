"""Keys of a task: what one value, a list, a plugin with options and a choice of classes become."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.core.cells import Choice, ClassPick, Recipe
from harness.task.schema import RecipeModel, Task

LEAST: dict[str, Any] = {"name": "t", "dataset": "emoji", "regime": "full", "encoder": "e"}


def task(**changes: Any) -> Task:
    return Task.model_validate(LEAST | changes)


def test_one_value_is_a_list_of_one() -> None:
    assert task().dataset == [Choice("emoji")]
    assert task(shots=[1, 16]).shots == [1, 16]
    assert task(report={"rows": "shots"}).report.rows == ["shots"]


def test_a_plugin_with_options_is_one_value_whatever_their_order() -> None:
    one, other = (
        task(classifier={"name": "lda", "shrinkage": 0.1, "scale": [1, 2]}),
        task(classifier={"scale": [1, 2], "shrinkage": 0.1, "name": "lda"}),
    )
    assert one.classifier == other.classifier
    assert one.classifier == [Choice("lda", (("scale", (1, 2)), ("shrinkage", 0.1)))]
    assert hash(one.classifier[0])


@pytest.mark.parametrize(
    ("value", "pick"),
    [
        ({}, ClassPick()),
        ({"pick": 3, "from": "unseen"}, ClassPick(3, "unseen")),
        ("names.txt", ClassPick(file="names.txt")),
        ("half:2", ClassPick(half=2)),
    ],
)
def test_classes(value: Any, pick: ClassPick) -> None:
    assert task(classes=value).classes.to_pick() == pick


def test_defaults_of_the_recipe_are_those_of_the_cell() -> None:
    """So a task that names none of them gives a cell whose plain form has none of them."""
    model, recipe = RecipeModel(), Recipe()
    assert model.train_logit_scale is None, "its default depends on the tuning"
    assert recipe.proximal_relative, "part of the key proximal, where it is true too"
    of_proximal = {name for name in Recipe.__dataclass_fields__ if name.startswith("proximal_")}
    for name in set(Recipe.__dataclass_fields__) - {"train_logit_scale"} - of_proximal:
        assert getattr(model, name) == [getattr(recipe, name)], name


@pytest.mark.parametrize(("seeds", "expected"), [(3, [0, 1, 2]), ([7, 1], [7, 1])])
def test_seeds_are_a_number_or_a_list(seeds: Any, expected: list[int]) -> None:
    assert task(seeds=seeds).seed_list() == expected


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"shots": 0}, "shots", "greater than 0"),
        ({"shots": True}, "shots", "valid integer"),
        ({"shots": 1.0}, "shots", "valid integer"),
        ({"shots": []}, "shots", "at least 1 item"),
        ({"fraction": 1.5}, "fraction", "less than or equal to 1"),
        ({"resolution": 8}, "resolution", "greater than or equal to 16"),
        ({"views": "0x1"}, "views", "pattern"),
        ({"schedule": "released:x"}, "schedule", "pattern"),
        ({"classes": "half:x"}, "classes", "half: takes a whole number"),
        ({"classes": {"pick": -1}}, "classes", "greater than 0"),
        ({"classifier": {"shrinkage": 1}}, "classifier", "must be a name"),
        ({"classifier": ""}, "classifier", "must be a name"),
        ({"classifier": {"name": "lda", "a": {"b": 1}}}, "classifier", "plain values or lists"),
        ({"recipe": {"lr": float("inf")}}, "recipe", "finite"),
        ({"recipe": {"lr": -1}}, "recipe", "greater than or equal to 0"),
        ({"recipe": {"dropout": 1}}, "recipe", "less than 1"),
        ({"recipe": {"train_logit_scale": "yes"}}, "recipe", "valid boolean"),
        ({"report": {"correlation": 1}}, "report", "greater than or equal to 2"),
        ({"embedded": {"relation": "analogue"}}, "embedded", "needs the key why"),
        ({"surprise": 1}, "surprise", "Extra inputs"),
    ],
)
def test_what_is_out_of_range(changes: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        task(**changes)
    problem = caught.value.errors()[0]
    assert problem["loc"][0] == key
    assert says in problem["msg"]


def test_a_task_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        task().name = "other"  # type: ignore[misc]


CLAIM: dict[str, Any] = {"text": "t", "a": "x", "b": "y", "direction": ">"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measure": "steps"}, "'target'"),
        ({"target": 1.5}, "'target'"),
        ({"margin": 2}, "'margin'"),
        ({"direction": "=", "measure": "loss", "margin": 2}, "'margin'"),
        ({"measure": "steps", "target": 0}, "greater than 0"),
    ],
)
def test_a_claim_has_the_keys_of_its_measure(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        task(claims=[CLAIM | changes])


def test_a_claim_of_equality_has_a_margin_and_one_of_steps_a_target() -> None:
    equal = task(claims=[CLAIM | {"direction": "=", "margin": 2}]).claims[0]
    steps = task(claims=[CLAIM | {"measure": "steps", "target": 1.5}]).claims[0]
    assert (equal.margin, equal.target, steps.margin, steps.target) == (2, None, None, 1.5)
