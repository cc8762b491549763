"""Changes of task data: `key=value` on the command line, and replaced keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.core.errors import TaskError
from harness.task import yaml_reader

#: Keys of a recipe, of which one says how long a training is.
LENGTHS = ("epochs", "iterations")


def apply_override(data: dict[str, Any], override: str, origin: str = "override") -> None:
    """Set a dotted key in place: `recipe.lr=1e-3`, `shots=[1, 16]`; the value is YAML.

    Of a list of named recipes `recipe.lr` is the key of all of them, `recipe.NAME.lr` of one.

    Raises TaskError for text that is not `key=value`, and for a key below one that has no keys.
    """
    key, equals, text = override.partition("=")
    if not equals:
        raise TaskError(origin, override, "is not of the form key=value")
    value = yaml_reader.parse(text, f"{origin} {override}")
    *parents, last = key.split(".")
    for inner in _below(data, parents, key, origin):
        inner[last] = value


def _below(
    data: dict[str, Any], parents: Sequence[str], key: str, origin: str
) -> list[dict[str, Any]]:
    """What is below the keys `parents`: one mapping, or one for each named recipe."""
    inner, left = [data], list(parents)
    if left[:1] == ["recipe"] and isinstance(data.get("recipe"), list):
        left.pop(0)
        inner = [each for each in data["recipe"] if isinstance(each, dict)]
        if named := [each for each in inner if left and each.get("name") == left[0]]:
            left.pop(0)
            inner = named
    for parent in left:
        inner = [each.setdefault(parent, {}) for each in inner]
        if not all(isinstance(each, dict) for each in inner):
            raise TaskError(origin, key, f"'{parent}' has no keys below it")
    return inner


def changed_recipe(recipe: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The data under `recipe` with a change of the recipe, or of each recipe of a list.

    What is neither stays: validation says what is wrong with it.
    """
    if isinstance(recipe, list):
        return [change(each) if isinstance(each, dict) else each for each in recipe]
    return change(recipe) if isinstance(recipe, dict) else recipe


def replace_keys(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Task data with some keys replaced. Under `recipe` only the keys that the change names are
    replaced, in every recipe of a list, unless it names a preset.
    """
    recipe, changed = data.get("recipe"), changes.get("recipe")
    merged = dict(data) | dict(changes)
    if isinstance(recipe, dict | list) and isinstance(changed, dict) and "preset" not in changed:
        merged["recipe"] = changed_recipe(recipe, lambda own: with_keys(own, changed))
    return merged


def with_keys(recipe: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe with some keys replaced. A training has one length: its epochs give way to
    iterations that the change names, and its iterations to epochs.
    """
    named = [key for key in LENGTHS if changed.get(key) is not None]
    given_up = LENGTHS if named else ()
    return {key: value for key, value in recipe.items() if key not in given_up} | dict(changed)
