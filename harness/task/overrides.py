"""Changes of task data: `key=value` on the command line, and replaced keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.errors import TaskError
from harness.task import yaml_reader


def apply_override(data: dict[str, Any], override: str, origin: str = "override") -> None:
    """Set a dotted key in place: `recipe.lr=1e-3`, `shots=[1, 16]`; the value is YAML.

    Raises TaskError for text that is not `key=value`, and for a key below one that has no keys.
    """
    key, equals, text = override.partition("=")
    if not equals:
        raise TaskError(origin, override, "is not of the form key=value")
    value = yaml_reader.parse(text, f"{origin} {override}")
    *parents, last = key.split(".")
    inner = data
    for parent in parents:
        child = inner.setdefault(parent, {})
        if not isinstance(child, dict):
            raise TaskError(origin, key, f"'{parent}' has no keys below it")
        inner = child
    inner[last] = value


def replace_keys(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Task data with some keys replaced. Under `recipe` only the keys that the change names are
    replaced, unless it names a preset.
    """
    recipe, changed = data.get("recipe"), changes.get("recipe")
    merged = dict(data) | dict(changes)
    if isinstance(recipe, dict) and isinstance(changed, dict) and "preset" not in changed:
        merged["recipe"] = recipe | changed
    return merged
