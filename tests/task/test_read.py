"""YAML to Task: presets, changes, variants on embedded data, claims, and the way back to YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core.errors import TaskError
from harness.task import library, yaml_reader
from harness.task.grid import expand
from harness.task.read import as_yaml, json_schema, plain, read_task, validate
from harness.task.schema import RecipeModel, Task

PAPER: dict[str, Any] = {
    "name": "table01",
    "dataset": "folder:somewhere",
    "regime": "few_shot",
    "shots": [1, 16],
    "encoder": "open_clip:ViT-B-16/openai",
    "recipe": {"lr": 1e-5, "epochs": 200},
    "embedded": {
        "relation": "analogue",
        "why": "emoji stand for photographs",
        "replace": {"dataset": "emoji", "shots": 1, "recipe": {"epochs": 3}},
    },
    "claims": [{"text": "x", "a": "text", "b": "random", "column": 1, "direction": ">"}],
}


def read(tmp_path: Path, *overrides: str, as_variant: bool = False, **changes: Any) -> Task:
    path = tmp_path / "task.yaml"
    path.write_text(yaml.safe_dump(PAPER | changes), encoding="utf-8")
    return read_task(path, overrides, embedded=as_variant)


def refusal(tmp_path: Path, *overrides: str, as_variant: bool = False, **changes: Any) -> str:
    with pytest.raises(TaskError) as caught:
        read(tmp_path, *overrides, as_variant=as_variant, **changes)
    return str(caught.value).removeprefix(f"{tmp_path / 'task.yaml'}: ")


# --- a file -------------------------------------------------------------------------------------


def test_changes_come_before_overrides(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(yaml.safe_dump(PAPER), encoding="utf-8")
    task = read_task(path, ["recipe.epochs=7"], changes={"shots": 2, "recipe": {"epochs": 5}})
    assert task.shots == [2]
    assert task.recipe.epochs == [7]
    assert task.recipe.lr == [1e-5], "changes under recipe leave its other keys"


def test_the_epochs_of_a_preset_give_way_to_iterations(tmp_path: Path) -> None:
    task = read(tmp_path, recipe={"preset": "lit_emoji", "iterations": 9})
    assert (task.recipe.epochs, task.recipe.iterations) == (RecipeModel().epochs, [9])
    both = refusal(tmp_path, recipe={"preset": "lit_emoji", "iterations": 9, "epochs": 60})
    assert both.startswith("recipe.iterations: is a budget in place of epochs, and both are given")


def test_a_preset_is_a_recipe_with_keys_replaced(tmp_path: Path) -> None:
    task = read(tmp_path, recipe={"preset": "lit_emoji", "epochs": 3})
    assert (task.recipe.lr, task.recipe.decay, task.recipe.epochs) == ([1e-3], ["constant"], [3])
    assert task.recipe.preset is None, "the task as resolved needs no file of recipes"
    assert refusal(tmp_path, recipe={"preset": "lit_emojy"}) == (
        "recipe.preset: 'lit_emojy': there is no such recipe; allowed: lit_emoji, "
        "lit_emoji_all, lit_emoji_head, text4vis. "
        "Did you mean 'lit_emoji'?"
    )


@pytest.mark.parametrize("name", sorted(library.tasks()))
def test_every_task_that_comes_with_the_harness_survives_the_way_through_yaml(name: str) -> None:
    task = read_task(library.tasks()[name])
    again = validate(yaml_reader.parse(as_yaml(task), "again"), "again")
    assert plain(again) == plain(task)
    assert expand(again) == expand(task)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clasifier": "text"}, "clasifier: there is no such key; allowed: name, question, "),
        ({"classes": {"pik": 3}}, "classes.pik: there is no such key; allowed: pick, seed, from, "),
        ({"recipe": {"lr": [1, "fast"]}}, "recipe.lr: 'fast': input should be a valid number"),
        ({"regime": "few_shots"}, "regime: 'few_shots' is not allowed; allowed: full, fraction, "),
        ({"views": "4y3"}, "views: '4y3' is not allowed; allowed: CLIPSxCROPS, each 1 to 99, "),
        ({"schedule": "released"}, "schedule: 'released' is not allowed; allowed: frozen, "),
        ({"name": "a b"}, "name: 'a b' is not allowed; allowed: letters, digits, '_', '.' and "),
        ({"encoder": None}, "encoder: None: must be a name, or {name: ..., options ...}"),
    ],
)
def test_a_value_that_cannot_be(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert refusal(tmp_path, **changes).startswith(message)


def test_a_key_that_is_missing() -> None:
    with pytest.raises(TaskError, match=r"^t\.yaml: dataset: is missing$"):
        validate({"name": "t", "regime": "full", "encoder": "e"}, "t.yaml")


# --- embedded ------------------------------------------------------------------------------------


def test_the_task_itself_ignores_its_variant(tmp_path: Path) -> None:
    task = read(tmp_path)
    assert task.name == "table01"
    assert task.shots == [1, 16]


def test_the_variant_replaces_keys_and_merges_the_recipe(tmp_path: Path) -> None:
    task = read(tmp_path, as_variant=True)
    assert task.name == "table01_embedded"
    assert [choice.name for choice in task.dataset] == ["emoji"]
    assert task.shots == [1]
    assert task.recipe.epochs == [3]
    assert task.recipe.lr == [1e-5]
    assert task.embedded is not None
    assert task.embedded.relation == "analogue"
    assert task.embedded.replace == {}


def test_a_preset_of_the_variant_takes_the_place_of_the_recipe(tmp_path: Path) -> None:
    replace = {"recipe": {"preset": "lit_emoji", "epochs": 3}}
    variant = PAPER["embedded"] | {"replace": replace}
    task = read(tmp_path, as_variant=True, embedded=variant)
    assert task.recipe.lr != [1e-5]
    assert task.recipe.epochs == [3]


def test_overrides_change_the_variant(tmp_path: Path) -> None:
    task = read(tmp_path, "shots=[1, 2]", "recipe.epochs=9", "name=other", as_variant=True)
    assert task.shots == [1, 2]
    assert task.recipe.epochs == [9]
    assert task.name == "other"


def test_a_variant_written_as_resolved_is_read_again(tmp_path: Path) -> None:
    task = read(tmp_path, as_variant=True)
    path = tmp_path / "resolved.yaml"
    path.write_text(as_yaml(task), encoding="utf-8")
    again = read_task(path)
    assert again == task
    assert expand(again) == expand(task)


def test_no_variant(tmp_path: Path) -> None:
    assert refusal(tmp_path, as_variant=True, embedded=None).startswith("embedded: is missing")


def test_not_testable(tmp_path: Path) -> None:
    variant = {"relation": "not_testable", "why": "it counts V100 days"}
    assert read(tmp_path, embedded=variant).name == "table01"
    message = refusal(tmp_path, as_variant=True, embedded=variant)
    assert message == "embedded: the task cannot be run on embedded data: it counts V100 days"


@pytest.mark.parametrize(
    ("variant", "key", "says"),
    [
        ({"relation": "analogue"}, "embedded", "relation 'analogue' needs the key why"),
        ({"relation": "similar"}, "embedded.relation", "allowed: same, analogue, not_testable"),
        ({"relation": "same", "replace": {"shot": 1}}, "embedded.replace.shot", "mean 'shots'"),
        ({"relation": "same", "replace": {"name": "x"}}, "embedded.replace.name", "no such key"),
        ({"relation": "same", "because": "x"}, "embedded.because", "no such key"),
    ],
)
def test_a_variant_that_says_nothing_clear(
    tmp_path: Path, variant: dict[str, Any], key: str, says: str
) -> None:
    message = refusal(tmp_path, embedded=variant)
    assert message.startswith(f"{key}: ")
    assert says in message


# --- claims --------------------------------------------------------------------------------------


def test_a_claim(tmp_path: Path) -> None:
    [claim] = read(tmp_path).claims
    assert (claim.a, claim.b, claim.direction) == ("text", "random", ">")
    assert claim.column == "1"  # as the report labels it


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"direction": "<"}, "claims.direction: '<' is not allowed; allowed: >, ="),
        ({"b": ""}, "claims.b: "),
        ({"colum": "1"}, "claims.colum: there is no such key"),
    ],
)
def test_claims_that_cannot_be(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    assert refusal(tmp_path, claims=[PAPER["claims"][0] | change]).startswith(says)


# --- recipe --------------------------------------------------------------------------------------


def test_defaults_of_the_recipe_leave_keys_as_they_were(tmp_path: Path) -> None:
    """A field that was added later is in no plain cell that does not use it."""
    [plain] = {str(cell.plain()["recipe"]) for cell in expand(read(tmp_path))}
    assert plain == "{'lr': 1e-05, 'epochs': 200}"


def test_augmentation_and_checkpointing_are_axes(tmp_path: Path) -> None:
    recipe = {"augment": ["crop_flip", "crop"], "checkpointing": True, "precision": "bfloat16"}
    cells = expand(read(tmp_path, "shots=1", "seeds=1", **{"recipe": recipe}))
    assert [c.recipe and c.recipe.augment for c in cells] == ["crop_flip", "crop"]
    assert cells[0].plain()["recipe"] == {
        "precision": "bfloat16", "augment": "crop_flip", "checkpointing": True,
    }  # fmt: skip
    assert "mean 'crop_flip'" in refusal(tmp_path, "recipe.augment=crop-flip")


# --- YAML ----------------------------------------------------------------------------------------


def test_plain_is_what_a_reader_would_write(tmp_path: Path) -> None:
    task = read(
        tmp_path,
        classifier=["text", {"name": "lda", "shrinkage": 0.1}],
        classes={"pick": 3, "from": "unseen"},
        recipe={"lr": 1e-3, "by": {"text": {"epochs": 3}}},
    )
    data = plain(task)
    assert data["classifier"] == ["text", {"name": "lda", "shrinkage": 0.1}]
    assert data["classes"] == {"pick": 3, "seed": 0, "from": "unseen", "file": None, "half": None}
    assert data["recipe"]["by"] == {"text": {"epochs": [3]}}, "and not the defaults"
    assert "recipe" in as_yaml(task)


def test_the_schema_says_where_a_list_is_an_axis() -> None:
    """`python -m harness schema`; tests/commands holds it against every task."""
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) == set(Task.model_fields)
    one, several, absent = schema["properties"]["shots"]["anyOf"]
    assert one == {"exclusiveMinimum": 0, "type": "integer"}
    assert absent == {"type": "null"}
    assert several == {"items": one, "minItems": 1, "type": "array"}


@pytest.mark.parametrize(
    "key",
    [
        "recipe.logit_scale=4.6052",
        "recipe.by.text.logit_scale=[1,4.605]",
        "search={recipe.logit_scale: [1,4.605]}",
    ],
)
def test_a_logit_scale_that_is_a_logarithm_is_refused(tmp_path: Path, key: str) -> None:
    more = ("val=2", "selection=val") if key.startswith("search") else ()
    says = refusal(tmp_path, key, *more)
    assert "is the logarithm of 100, and the factor itself is wanted: write 100" in says
    assert "logit_scale" in says
    read(tmp_path, key.replace("4.605", "5").replace("52", ""), *more)
