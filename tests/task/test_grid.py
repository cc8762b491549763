from typing import Any

import pytest

from harness.core.cells import Choice
from harness.core.errors import TaskError
from harness.task.grid import expand, value_of
from harness.task.read import as_yaml, plain, validate
from harness.task.yaml_reader import parse

BASE: dict[str, Any] = {
    "name": "t",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": [1, 2],
    "encoder": "embedded/lit-emoji",
    "seeds": 2,
}


def cells(**changes: Any) -> list[Any]:
    return expand(validate({**BASE, **changes}, "t.yaml"))


def test_the_product_of_the_axes() -> None:
    found = cells(classifier=["text", "random", {"name": "lda", "shrinkage": 0.1}])
    assert len(found) == 3 * 2 * 2
    assert Choice("lda", (("shrinkage", 0.1),)) in {c.classifier for c in found}


def test_an_axis_without_meaning_is_null_and_equal_cells_are_one() -> None:
    found = cells(classifier=["text", "random"], paradigm=["vision_text", "vision_only"])
    own = [c for c in found if c.paradigm.name == "vision_only"]
    assert len(own) == 2 * 2
    assert {(c.classifier, c.schedule, c.prompt) for c in own} == {(None, None, None)}


def test_a_cell_without_chance_has_no_seed() -> None:
    zero = {"regime": "zero_shot", "shots": None}
    assert [c.seed for c in cells(**zero, classifier="text")] == [None]
    assert [c.seed for c in cells(**zero, classifier="random")] == [0, 1]


def test_zero_shot_without_training_is_one_cell_whatever_was_to_be_trained_on() -> None:
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {"from": "aligned"}}
    found = cells(**zero, tuning=["none", "projection"], seeds=1)
    assert [(c.tuning, c.train_classes is None, c.recipe is None) for c in found] == [
        ("none", True, True),
        ("projection", False, False),
    ]


def test_recipe_lists_are_axes_and_by_changes_rows_of_a_name() -> None:
    found = cells(
        classifier=["text", "random"],
        recipe={"lr": [1e-3, 1e-4], "by": {"random": {"epochs": 7}}},
        shots=1,
        seeds=1,
    )
    assert [(c.classifier.name, value_of(c, "recipe.lr"), c.recipe.epochs) for c in found] == [
        ("text", 1e-3, 30),
        ("text", 1e-4, 30),
        ("random", 1e-3, 7),
        ("random", 1e-4, 7),
    ]


def test_exclude_matches_by_name_or_value_and_include_adds() -> None:
    found = cells(
        classifier=["text", "lda"],
        exclude=[{"classifier": "lda", "shots": 1}],
        include=[{"classifier": "random", "shots": 8}],
        seeds=1,
    )
    assert [(c.classifier.name, c.shots) for c in found] == [
        ("text", 1),
        ("text", 2),
        ("lda", 2),
        ("random", 8),
    ]


def test_exclude_by_an_unknown_axis_is_an_error() -> None:
    with pytest.raises(TaskError, match="Did you mean 'shots'"):
        cells(exclude=[{"shot": 1}])


def test_class_draws_are_an_axis() -> None:
    found = cells(classes={"pick": 3}, class_seed=[0, 1], shots=1, seeds=1)
    assert [c.class_seed for c in found] == [0, 1]
    assert [c.class_seed for c in cells(shots=1, seeds=1)] == [None]  # nothing is drawn


def test_the_canonical_cell_leaves_out_defaults() -> None:
    (found,) = cells(shots=1, seeds=[4])
    assert found.plain() == {
        "classifier": "text",
        "dataset": "emoji",
        "encoder": "embedded/lit-emoji",
        "prompt": "class_name",
        "recipe": {},
        "regime": "few_shot",
        "schedule": "frozen",
        "seed": 4,
        "shots": 1,
    }


def test_a_task_survives_the_way_through_yaml() -> None:
    task = validate(
        {
            **BASE,
            "classifier": ["text", {"name": "lda", "shrinkage": 0.1}],
            "recipe": {"lr": [1e-3], "by": {"text": {"epochs": 3}}},
            "classes": {"pick": 3, "from": "unseen"},
            "seeds": [3],
        },
        "t.yaml",
    )
    again = validate(parse(as_yaml(task), "again"), "again")
    assert plain(again) == plain(task)
    assert expand(again) == expand(task)
