"""YAML to Task: variants on embedded data, claims, selection on the test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core.errors import TaskError
from harness.task.grid import expand
from harness.task.read import as_yaml, read_task
from harness.task.schema import Task

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


def told(tmp_path: Path, *overrides: str, as_variant: bool = False, **changes: Any) -> str:
    with pytest.raises(TaskError) as caught:
        read(tmp_path, *overrides, as_variant=as_variant, **changes)
    return str(caught.value).removeprefix(f"{tmp_path / 'task.yaml'}: ")


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
    assert told(tmp_path, as_variant=True, embedded=None).startswith("embedded: is missing")


def test_not_testable(tmp_path: Path) -> None:
    variant = {"relation": "not_testable", "why": "it counts V100 days"}
    assert read(tmp_path, embedded=variant).name == "table01"
    message = told(tmp_path, as_variant=True, embedded=variant)
    assert message == "embedded: the task cannot be tested so: it counts V100 days"


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
    message = told(tmp_path, embedded=variant)
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
    assert told(tmp_path, claims=[PAPER["claims"][0] | change]).startswith(says)


# --- recipe --------------------------------------------------------------------------------------


def test_defaults_of_the_recipe_leave_keys_as_they_were(tmp_path: Path) -> None:
    """A field that was added later stands in no plain cell that does not use it."""
    [plain] = {str(cell.plain()["recipe"]) for cell in expand(read(tmp_path))}
    assert plain == "{'lr': 1e-05, 'epochs': 200}"


def test_augmentation_and_checkpointing_are_axes(tmp_path: Path) -> None:
    recipe = {"augment": ["crop_flip", "crop"], "checkpointing": True, "precision": "bfloat16"}
    cells = expand(read(tmp_path, "shots=1", "seeds=1", **{"recipe": recipe}))
    assert [c.recipe and c.recipe.augment for c in cells] == ["crop_flip", "crop"]
    assert cells[0].plain()["recipe"] == {
        "precision": "bfloat16", "augment": "crop_flip", "checkpointing": True,
    }  # fmt: skip
    assert "mean 'crop_flip'" in told(tmp_path, "recipe.augment=crop-flip")


# --- selection -----------------------------------------------------------------------------------

SEARCH = {"search": {"recipe.lr": [1e-3, 1e-4]}}


def test_the_test_set_is_chosen_on_only_if_said_twice(tmp_path: Path) -> None:
    message = told(tmp_path, "selection=test", **SEARCH)
    assert message.startswith("selection: choosing on the test set inflates")
    assert "allow_test_selection: true" in message
    task = read(tmp_path, "selection=test", "allow_test_selection=true", **SEARCH)
    assert {(c.selection, c.val) for c in expand(task)} == {("test", None)}


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["allow_test_selection=true"], "allow_test_selection: has a meaning only with"),
        (
            ["selection=test", "allow_test_selection=true"],
            "selection: test: needs search beside it",
        ),
        (["selection=test", "allow_test_selection=true", "val=2"], "val: has no meaning"),
        (["val=2"], "val: needs search and selection: val beside it"),
    ],
)
def test_selection_that_is_half_said(tmp_path: Path, overrides: list[str], says: str) -> None:
    assert told(tmp_path, *overrides).startswith(says)
