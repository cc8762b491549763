"""`recipe: [{name: ...}, ...]`: several recipes, of which every row is trained with each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import read_like

from harness.core.cell_json import cell_from
from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.task.default_recipe import recipe_notes
from harness.task.departures import protocol_of
from harness.task.grid import expand, expand_rows, value_of
from harness.task.notes import values_of_no_cell
from harness.task.overrides import apply_override, replace_keys
from harness.task.read import as_yaml, read_task

BASE: dict[str, Any] = {
    "name": "t", "dataset": "emoji", "regime": "few_shot", "shots": 1, "seeds": 1,
    "encoder": "embedded/lit-emoji", "classifier": ["text", "random"],
}  # fmt: skip
SHARED = {"name": "shared", "lr": 1e-3}
OWN = {"name": "own", "lr": 1e-3, "by": {"random": {"lr": 1e-1}}}


def cells(*recipes: dict[str, Any], **changes: Any) -> list[Cell]:
    return expand(*read_like(BASE, recipe=list(recipes), **changes))


def found(cells_: list[Cell]) -> list[tuple[str, Any, Any]]:
    return [(str(c.classifier), c.recipe_name, value_of(c, "recipe.lr")) for c in cells_]


def refusal(*recipes: Any, **changes: Any) -> str:
    with pytest.raises(TaskError) as caught:
        cells(*recipes, **changes)
    return str(caught.value).removeprefix("task.yaml: ")


# --- cells ---------------------------------------------------------------------------------------


def test_every_row_is_trained_with_each() -> None:
    assert found(cells(SHARED, OWN)) == [
        ("text", "shared", 1e-3), ("text", "own", 1e-3),
        ("random", "shared", 1e-3), ("random", "own", 1e-1),
    ]  # fmt: skip
    lists = cells({"name": "a", "lr": [1, 2]}, {"name": "b", "lr": 3}, classifier="text")
    assert found(lists) == [("text", "a", 1), ("text", "a", 2), ("text", "b", 3)]


def test_the_name_is_a_label_and_no_part_of_a_cell() -> None:
    shared, own = cells(SHARED, OWN, classifier="text")
    assert shared != own, "two rows of the report"
    (plain,) = cells({"name": "x", "lr": 1e-3}, classifier="text")
    assert shared.plain() == own.plain() == plain.plain()
    assert cell_from(shared.plain()).recipe_name is None


def test_a_cell_that_is_not_trained_has_no_name() -> None:
    assert found(cells(SHARED, OWN, classifier="text", tuning="none")) == [("text", None, None)]


def test_names_in_exclude() -> None:
    rest = cells(SHARED, OWN, exclude=[{"recipe": "own", "classifier": "text"}])
    assert found(rest) == [
        ("text", "shared", 1e-3), ("random", "shared", 1e-3), ("random", "own", 1e-1),
    ]  # fmt: skip
    wrong = read_like(BASE, recipe=[SHARED], exclude=[{"recipe": "sharde"}])
    assert values_of_no_cell(*wrong) == ["exclude: {recipe: sharde} matches no cell of this grid"]


def test_a_recipe_that_names_no_key_is_that_of_the_encoder_and_each_may_have_a_preset() -> None:
    task, where = read_like(
        BASE, classifier="text",
        recipe=[{"name": "own"}, {"name": "paper", "preset": "text4vis", "lr": 1}],
    )  # fmt: skip
    own, paper = (row.cell for row in expand_rows(task, where))
    plain = expand(*read_like(BASE, classifier="text"))[0].recipe
    assert own.recipe == plain
    assert paper.recipe is not None
    assert (paper.recipe.lr, paper.recipe.precision) == (1, "bfloat16")
    assert recipe_notes(task, [own, paper]) == [
        "recipe.own: lit_emoji, the default of encoder embedded/lit-emoji with tuning: projection."
    ]
    missed = read_like(BASE, recipe=[{"name": "own", "epochs": 3}])
    (note,) = recipe_notes(missed[0], expand(*missed))
    assert note.startswith("recipe.own: lr is not named and is that of the paper for CLIP, 5e-06")


def test_the_task_as_resolved_is_read_as_the_same(tmp_path: Path) -> None:
    task, where = read_like(BASE, recipe=[{"name": "default"}, OWN])
    path = tmp_path / "task.yaml"
    path.write_text(as_yaml(task))
    assert yaml.safe_load(path.read_text())["recipe"][0] == {"name": "default"}
    assert expand(read_task(path)) == expand(task, where)


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ([], "recipe: []: list should have at least 1 item"),
        ([{"lr": 1}], "recipe[0].name: is missing"),
        ([SHARED, {"name": 12}], "recipe[1].name: 12 is not allowed; allowed: letters, digits"),
        ([SHARED, {"name": ""}], "recipe[1].name: '' is not allowed; allowed: letters, digits"),
        ([SHARED, {"name": "a.b"}], "recipe[1].name: 'a.b' is not allowed; allowed: letters"),
        ([{"name": "12"}], "recipe[0].name: '12': is no text in YAML without"),
        ([{"name": "1e3"}], "recipe[0].name: '1e3': is no text in YAML without"),
        ([{"name": "on"}], "recipe[0].name: 'on': is no text in YAML without"),
        ([{"name": "null"}], "recipe[0].name: 'null': is no text in YAML without"),
        ([SHARED, SHARED], "recipe: two recipes have the name 'shared'"),
        ([{"name": "lr"}], "recipe: 'lr' is a key of a recipe and cannot be the name of one"),
        ([SHARED, 3], "recipe[1]: 3: "),
        ([SHARED, OWN | {"lrr": 1}], "recipe.own.lrr: there is no such key; allowed: "),
        ([SHARED, OWN | {"lr": -1}], "recipe.own.lr: -1"),
        ([{"name": "a", "by": {"text": {"lrr": 1}}}], "recipe.a.by.text.lrr: there is no such key"),
        ([{"name": "a", "by": {"txt": {"lr": 1}}}], "recipe.a.by.txt: no classifier, paradigm or"),
        ([{"name": "a", "preset": "lit"}], "recipe.a.preset: 'lit': there is no such recipe"),
    ],
)  # fmt: skip
def test_lists_that_cannot_be(recipe: list[Any], message: str) -> None:
    assert refusal(*recipe).startswith(message)


def test_one_recipe_without_a_list_has_no_name() -> None:
    with pytest.raises(TaskError, match=r"task.yaml: recipe.name: there is no such key"):
        read_like(BASE, recipe=SHARED)


def test_a_searched_key_has_no_value_in_any_of_them() -> None:
    search = {"search": {"recipe.lr": [1, 2]}, "selection": "val", "val": 1}
    what = "search.recipe.lr: is searched and also set by "
    assert refusal(SHARED, OWN, **search) == f"{what}recipe.own.by.random: remove one"
    lists = {"name": "b", "lr": [1, 2]}
    assert refusal(SHARED, lists, **search) == f"{what}a list under recipe.b: remove one"


# --- changes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "shared", "own"),
    [
        ("recipe.lr=5", {"lr": 5}, {"lr": 5}),
        ("recipe.own.lr=5", {}, {"lr": 5}),
        ("recipe.by.text.lr=5", {"by": {"text": {"lr": 5}}},
         {"by": {"random": {"lr": 1e-1}, "text": {"lr": 5}}}),
        ("recipe.own.by.random.lr=5", {}, {"by": {"random": {"lr": 5}}}),
    ],
)  # fmt: skip
def test_an_override_of_all_and_of_one(
    override: str, shared: dict[str, Any], own: dict[str, Any]
) -> None:
    data = {"recipe": [dict(SHARED), OWN | {"by": {"random": {"lr": 1e-1}}}]}
    apply_override(data, override)
    assert data["recipe"] == [SHARED | shared, OWN | own]


def test_an_override_below_a_value() -> None:
    with pytest.raises(TaskError, match=r"recipe.lr.x: 'lr' has no keys below it"):
        apply_override({"recipe": [dict(SHARED)]}, "recipe.lr.x=1")


def test_keys_take_the_place_of_those_of_every_recipe_but_a_list_or_preset_of_all() -> None:
    """In `embedded.replace`, `include` and Python."""
    data = {"recipe": [SHARED, OWN]}
    changed = replace_keys(data, {"recipe": {"epochs": 5}})["recipe"]
    assert changed == [SHARED | {"epochs": 5}, OWN | {"epochs": 5}]
    for whole in ([{"name": "x"}], {"preset": "lit_emoji"}):
        assert replace_keys(data, {"recipe": whole})["recipe"] == whole
    assert data == {"recipe": [SHARED, OWN]}, "it stays as it was"


def test_an_include_may_change_them() -> None:
    include = [{"shots": 2, "recipe": {"epochs": 3}}, {"shots": 4, "recipe": [{"name": "x"}]}]
    rows = cells(SHARED, OWN, include=include, classifier="text")
    assert [(c.shots, c.recipe_name, c.recipe and c.recipe.epochs) for c in rows] == [
        (1, "shared", 30), (1, "own", 30), (2, "shared", 3), (2, "own", 3), (4, "x", 60),
    ]  # fmt: skip


def test_a_protocol_is_under_each() -> None:
    task, where = read_like(
        BASE, protocol="text4vis",
        recipe=[SHARED, OWN | {"lr_every": 1}, {"name": "p", "by": {"text": {"lr_every": 2}}}],
    )  # fmt: skip
    every = [c.recipe and c.recipe.lr_every for c in expand(task, where)]
    assert every == [10, 1, 2, 10, 1, 10]
    assert protocol_of(task, where) == (
        "text4vis, but for recipe.own.lr_every 1 (there 10), recipe.p.by.text.lr_every 2 (there 10)"
    )


def test_names_and_entries_of_no_cell() -> None:
    recipe = [SHARED, {"name": "own", "by": {"lda": {"lr": 1}}}]
    assert values_of_no_cell(*read_like(BASE, recipe=recipe)) == [
        "recipe.own.by.lda applies to no cell of this task"
    ]
    assert values_of_no_cell(*read_like(BASE, recipe=[SHARED], tuning="none")) == [
        "recipe.shared applies to no cell of this task"
    ]
