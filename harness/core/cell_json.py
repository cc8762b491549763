"""Reads a cell from the JSON data of `Cell.plain`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from harness.core.cells import (
    Cell,
    Choice,
    ClassPick,
    HeadSpec,
    LoraSpec,
    Recipe,
    Stage,
)


def cell_from(plain: Mapping[str, Any]) -> Cell:
    """The cell with this `plain()`.

    Raises TypeError or ValueError if it is not a cell of this version.
    """
    kinds = _kinds()
    return Cell(**{name: _value(kinds.get(name, ""), value) for name, value in plain.items()})


@cache
def _kinds() -> dict[str, str]:
    """Field of Cell -> its type, to read it from JSON."""
    hints = get_type_hints(Cell)
    return {f.name: str(hints[f.name]) for f in fields(Cell)}


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if Stage.__name__ in kind:
        return tuple(_stage(each) for each in value)
    if Choice.__name__ in kind:
        return value if isinstance(value, int) else _choice(value)
    part = next((p for p in (ClassPick, HeadSpec, LoraSpec, Recipe) if p.__name__ in kind), None)
    if part is None:
        return _tuples(value)
    return part(**{name: _tuples(each) for name, each in value.items()})


def _choice(value: str | Mapping[str, Any]) -> Choice:
    if isinstance(value, str):
        return Choice(value)
    options = {k: _tuples(v) for k, v in value.items() if k != "name"}
    return Choice(value["name"], tuple(sorted(options.items())))


def _stage(plain: Mapping[str, Any]) -> Stage:
    lora = plain.get("lora")
    spec = None if lora is None else LoraSpec(**{k: _tuples(v) for k, v in lora.items()})
    recipe = tuple(sorted(plain.get("recipe", {}).items()))
    return Stage(plain["share"], plain["tuning"], spec, recipe)


def _tuples(value: Any) -> Any:
    """JSON has lists where frozen data has tuples."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value
