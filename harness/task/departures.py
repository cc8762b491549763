"""Where a task departs from its protocol: the keys that it writes itself, with another value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.core.cells import Cell
from harness.task.grid import value_of, variants
from harness.task.notes import as_flow
from harness.task.protocols import family_of, read_protocol
from harness.task.read import plain
from harness.task.schema import Task, recipe_key
from harness.task.schema_types import as_list


def protocol_of(task: Task, where: str) -> str:
    """'text4vis, but for recipe.lr_every 1 (there 10)'; empty without a protocol."""
    if task.protocol is None:
        return ""
    preset = read_protocol(task.protocol, where)
    found: dict[str, None] = {}
    for variant in variants(task, where):
        found |= dict.fromkeys(_departures(plain(variant), preset))
    return task.protocol + (f", but for {', '.join(found)}" if found else "")


def protocol_notes(task: Task, where: str, cells: Sequence[Cell]) -> list[str]:
    """'protocol text4vis; of no cell here: clip_starts', with the choices of the protocol that
    have no meaning for any cell of the task; nothing without a protocol.
    """
    if task.protocol is None:
        return []
    preset = read_protocol(task.protocol, where)
    of_recipe = [f"recipe.{key}" for key in preset.get("recipe", {})]
    keys = [*(key for key in preset if key not in ("options", "recipe")), *of_recipe]
    unused = [key for key in keys if all(value_of(cell, key) is None for cell in cells)]
    of_no_cell = f"; of no cell here: {', '.join(unused)}" if unused else ""
    return [f"protocol {protocol_of(task, where)}{of_no_cell}"]


def _departures(data: Mapping[str, Any], preset: Mapping[str, Any]) -> Iterator[str]:
    for key, value in preset.items():
        if key == "options":
            yield from _of_options(data, value)
        elif key == "recipe":
            for recipe in as_list(data["recipe"]):
                yield from _of_recipe(recipe, value, recipe_key(recipe.get("name")))
        elif data[key] != [value]:
            yield _said(key, data[key], value)


def _of_recipe(recipe: Mapping[str, Any], preset: Mapping[str, Any], dotted: str) -> Iterator[str]:
    """`dotted` is the key of this recipe."""
    for key, value in preset.items():
        if recipe[key] != [value]:
            yield _said(f"{dotted}.{key}", recipe[key], value)
    for row, changes in recipe["by"].items():
        for key in preset.keys() & changes.keys():
            if changes[key] != [preset[key]]:
                yield _said(f"{dotted}.by.{row}.{key}", changes[key], preset[key])


def _of_options(data: Mapping[str, Any], preset: Mapping[str, Any]) -> Iterator[str]:
    named = [(key, key) for key in preset] + [("test_dataset", "dataset")]
    for key, of_kind in named:
        for choice in data.get(key) or []:
            options = choice if isinstance(choice, dict) else {"name": choice}
            wanted = preset.get(of_kind, {}).get(family_of(options["name"], key), {})
            for option, value in wanted.items():
                if options.get(option) != value:
                    what = f"{option} of {options['name']}"
                    yield _said(what, [options.get(option)], value)


def _said(what: str, values: list[Any], there: Any) -> str:
    shown = values[0] if len(values) == 1 else values
    return f"{what} {as_flow(shown)} (there {as_flow(there)})"
