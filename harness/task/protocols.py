"""`protocol: NAME`: tasks/protocols/NAME.yaml, applied to a task before it is validated.

A file of tasks/protocols/ has keys of a task with plain values; `recipe`, which is merged with that
of the task; and `options`, by key and plugin: those of a plugin that the task names under the key.
Whatever the task itself says wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core import registry
from harness.core.errors import TaskError, nearest
from harness.task import library, yaml_reader
from harness.task.overrides import changed_recipe

#: Keys whose plugins have a family and an argument, as in video:PATH.
_WITH_ARGUMENT = ("dataset", "test_dataset", "encoder", "text_encoder")
#: Keys of a task that take the options of another key.
_ALSO = {"test_dataset": "dataset"}


def read_protocol(name: object, where: str) -> dict[str, Any]:
    """The content of a protocol.

    Raises TaskError, with the nearest name, if there is none of this name.
    """
    known = library.protocols()
    if not isinstance(name, str) or name not in known:
        raise TaskError(
            where, "protocol", f"{name!r}: there is no such protocol", allowed=known,
            nearest=nearest(str(name), known),
        )  # fmt: skip
    return yaml_reader.read(known[name])


def with_protocol(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The task with the choices of its protocol, where it makes none itself."""
    if data.get("protocol") is None:
        return data
    preset = read_protocol(data["protocol"], where)
    recipe, options = preset.pop("recipe", {}), preset.pop("options", {})
    merged = preset | data
    merged["recipe"] = changed_recipe(data.get("recipe", {}), lambda own: recipe | own)
    for key in (*options, *(key for key, other in _ALSO.items() if other in options)):
        if key in data:
            merged[key] = _with_options(data[key], options[_ALSO.get(key, key)], key)
    return merged


def _with_options(value: Any, by_plugin: Mapping[str, Mapping[str, Any]], key: str) -> Any:
    """One plugin or a list of them, as a task names them, with further options."""
    if isinstance(value, list):
        return [_with_options(each, by_plugin, key) for each in value]
    named = value if isinstance(value, dict) else {"name": value}
    options = by_plugin.get(family_of(named.get("name"), key))
    return value if options is None else {**options, **named}


def family_of(name: Any, key: str) -> str:
    """The plugin of a name under a key: video of video:PATH."""
    if not isinstance(name, str):
        return ""  # validation says what is wrong
    return registry.split_reference(name)[0] if key in _WITH_ARGUMENT else name
