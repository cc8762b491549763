"""A task without a recipe: that of its encoder, row by row; a named key takes no default along."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from conftest import plan_of, read_like

from harness.core.cells import Recipe
from harness.core.errors import TaskError
from harness.core.facts import EncoderFacts
from harness.task import library
from harness.task.default_recipe import recipe_notes
from harness.task.grid import expand_rows
from harness.task.read import as_yaml, validate

TASK: dict[str, Any] = {
    "name": "plain",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "encoder": "embedded/lit-emoji",
    "seeds": 1,
}
LIT_EMOJI = Recipe(
    lr=1e-3, lr_new=3e-3, weight_decay=0.1, warmup_epochs=0, epochs=60, batch=256,
    decay="constant", dropout=0.3,
)  # fmt: skip


def recipes(**changes: Any) -> list[Recipe | None]:
    task, _ = read_like(TASK, **changes)
    return [row.cell.recipe for row in expand_rows(task)]


def notes(**changes: Any) -> list[str]:
    task, _ = read_like(TASK, **changes)
    return recipe_notes(task, [row.cell for row in expand_rows(task)])


def test_without_a_recipe_it_is_that_of_the_encoder() -> None:
    assert recipes() == [LIT_EMOJI]
    assert notes() == [
        "recipe: lit_emoji, the default of encoder embedded/lit-emoji with tuning: projection."
    ]


def test_a_method_that_is_a_preset_has_no_part_in_the_default() -> None:
    """Its recipe is that of its file, so a note on another one would be wrong."""
    assert notes(method="zs_lp") == []
    assert len(notes(method=["zs_lp", None])) == 1


def test_tuning_the_whole_encoder_has_its_own() -> None:
    (recipe,) = recipes(tuning="all")
    assert recipe is not None
    assert (recipe.lr, recipe.batch, recipe.epochs) == (1e-4, 20, 20)


def test_a_head_on_frozen_features_has_its_own() -> None:
    assert recipes(tuning="head") == [
        Recipe(
            lr=3e-3, weight_decay=0, warmup_epochs=0, epochs=200, batch=256,
            train_logit_scale=False,
        )
    ]  # fmt: skip
    assert notes(tuning="head") == [
        "recipe: lit_emoji_head, the default of encoder embedded/lit-emoji with tuning: head."
    ]
    (note,) = notes(tuning="head", recipe={"epochs": 7})
    assert note.endswith("recipe.preset lit_emoji_head serves it.")


@pytest.mark.parametrize(
    "l2", [{"recipe": {"l2": 1e-3}}, {"search": {"recipe.l2": [1e-3, 1e-2]}, "val": 1}]
)
def test_a_head_that_is_solved_reads_no_learning_rate(l2: dict[str, Any]) -> None:
    linear = {"tuning": "head", "paradigm": "vision_only", "classifier": "random"}
    selection = {"selection": "val"} if "search" in l2 else {}
    assert recipes(**linear, **l2, **selection) == [Recipe(solver="lbfgs", l2=1e-3)]
    assert notes(**linear, **l2, **selection) == []


def test_every_encoder_of_a_task_has_its_own() -> None:
    encoders = ["embedded/lit-emoji", "lite:lite0", "open_clip:ViT-B-32/openai"]
    assert recipes(encoder=encoders, classifier="random") == [LIT_EMOJI, Recipe(), Recipe()]
    assert len(notes(encoder=encoders, classifier="random")) == 1


def test_a_recipe_that_is_named_in_part_is_as_it_is_written() -> None:
    assert recipes(recipe={"epochs": 7}) == [Recipe(epochs=7)]
    assert notes(recipe={"epochs": 7}) == [
        "recipe: lr is not named and is that of the paper for CLIP, 5e-06, which hardly moves "
        "embedded/lit-emoji; recipe.preset lit_emoji serves it."
    ]
    assert notes(recipe={"lr": 1e-4}) == []
    assert notes(recipe={"preset": "lit_emoji"}) == []


def test_what_is_searched_has_no_value_of_the_default() -> None:
    searched = {"search": {"recipe.lr": [1e-4, 1e-2]}, "val": 1, "selection": "val"}
    (recipe,) = recipes(**searched)
    assert recipe is not None
    assert (recipe.lr, recipe.epochs) == (1e-4, 60)


def test_nothing_is_said_where_nothing_is_trained() -> None:
    assert notes(tuning="none") == []
    assert recipes(tuning="none") == [None]


def test_the_task_as_resolved_names_no_recipe_either() -> None:
    task, file = read_like(TASK, include=[{"shots": 2}])
    assert [row.cell.recipe for row in expand_rows(task)] == [LIT_EMOJI, LIT_EMOJI]
    again = validate(yaml.safe_load(as_yaml(task)), file)
    assert [row.cell for row in expand_rows(again)] == [row.cell for row in expand_rows(task)]


def test_a_preset_that_does_not_exist(elsewhere: Any) -> None:
    name = elsewhere(
        "towers", RECIPES={"projection": "lit_emoij"}, build_image=lambda a, o: SimpleNamespace(),
        build_text=lambda a, o: SimpleNamespace(),
        facts=lambda a, o: EncoderFacts("w", "b", 4, 4, 16, 10.0, text_dim=4),
    )  # fmt: skip
    with pytest.raises(TaskError, match=r"RECIPES: 'lit_emoij'.*lit_emoji"):
        recipes(encoder=name)


@pytest.mark.parametrize("name", sorted(library.tasks()))
def test_every_task_of_the_package_names_its_recipe(name: str) -> None:
    """So the defaults of encoders change none of their cells. Methods have no part in the recipe of
    a task.
    """
    task, _ = read_like(name)
    assert "lr" in task.recipe.model_fields_set or None not in task.method


@pytest.mark.parametrize(
    ("tuning", "preset"), [("projection", "lit_emoji"), ("head", "lit_emoji_head")]
)
def test_the_plan_and_the_report_say_so(tmp_path: Any, tuning: str, preset: str) -> None:
    from harness.study import open_study

    study = open_study(
        TASK | {"tuning": tuning, "classes": {"pick": 3, "from": "development"}, "resolution": 64},
        runs=tmp_path, reports=tmp_path,
    )  # fmt: skip
    (note,) = study.plan().notes()
    said = f"recipe: {preset}, the default of encoder embedded/lit-emoji with tuning: {tuning}."
    assert note == said
    report = study.run().report()[0].read_text(encoding="utf-8")
    assert said in report
    assert plan_of(TASK | {"recipe": {"preset": "lit_emoji"}}, tmp_path).cells
