"""`key=value` on the command line, and keys of one task put in place of another's."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import TaskError
from harness.task.overrides import apply_override, replace_keys, with_keys


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("shots=[1, 16]", {"shots": [1, 16]}),
        ("recipe.lr=5e-6", {"recipe": {"epochs": 3, "lr": 5e-6}}),
        ("report.rows=shots", {"report": {"rows": "shots"}}),
        ("question=", {"question": None}),
        ("question=a=b", {"question": "a=b"}),
        ("classifier={name: lda, scale: 9}", {"classifier": {"name": "lda", "scale": 9}}),
    ],
)  # fmt: skip
def test_a_value_is_yaml_and_a_key_may_be_dotted(override: str, changed: dict[str, Any]) -> None:
    data: dict[str, Any] = {"shots": 1, "recipe": {"epochs": 3}}
    apply_override(data, override)
    assert data == {"shots": 1, "recipe": {"epochs": 3}} | changed


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("shots", "override: shots: is not of the form key=value"),
        ("shots.x=1", "override: shots.x: 'shots' has no keys below it"),
        ("shots=[1", "override shots=[1: line 1: "),
        ("shots=!!python/name:os.system", "override shots=!!python/name:os.system: line 1: "),
    ],
)
def test_what_is_no_override(override: str, message: str) -> None:
    with pytest.raises(TaskError) as caught:
        apply_override({"shots": 1}, override)
    assert str(caught.value).startswith(message)


def test_an_override_says_where_it_comes_from() -> None:
    """Profiles of a cluster take overrides as well."""
    with pytest.raises(TaskError, match=r"^profile: x: is not of the form"):
        apply_override({}, "x", "profile")


def test_keys_take_the_place_of_others_and_those_of_the_recipe_one_by_one() -> None:
    data = {"shots": [1, 2], "recipe": {"lr": 1, "epochs": 3}}
    assert replace_keys(data, {"shots": 4, "recipe": {"epochs": 5}}) == {
        "shots": 4, "recipe": {"lr": 1, "epochs": 5},
    }  # fmt: skip
    preset = {"recipe": {"preset": "lit_emoji", "epochs": 5}}
    assert replace_keys(data, preset)["recipe"] == preset["recipe"]
    assert replace_keys({}, preset) == preset
    assert data == {"shots": [1, 2], "recipe": {"lr": 1, "epochs": 3}}, "it stays as it was"


@pytest.mark.parametrize(
    ("recipe", "changed", "expected"),
    [
        ({"epochs": 60, "lr": 1}, {"iterations": 9}, {"lr": 1, "iterations": 9}),
        ({"epochs": [60], "iterations": [None]}, {"iterations": 9}, {"iterations": 9}),
        ({"iterations": 9}, {"epochs": 3}, {"epochs": 3}),
        ({"epochs": 60}, {"iterations": None}, {"epochs": 60, "iterations": None}),
        ({"epochs": 60}, {"epochs": 3, "iterations": 9}, {"epochs": 3, "iterations": 9}),
    ],
)
def test_epochs_and_iterations_give_way_to_each_other(
    recipe: dict[str, Any], changed: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert with_keys(recipe, changed) == expected
