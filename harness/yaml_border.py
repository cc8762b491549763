"""YAML as researchers mean it: safe, no key twice, and 5e-6 is a number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from harness.errors import TaskError

MAX_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be plain text", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 wants a dot in a float, so PyYAML alone reads 5e-6 as text.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)"
        r"|[-+]?[0-9][0-9_]*\.[0-9_]*|[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises TaskError: unreadable, too large, not UTF-8, not YAML, a tag, not a mapping.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TaskError(str(path), "", f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise TaskError(str(path), "", f"is {len(raw)} bytes; a task has at most {MAX_BYTES}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TaskError(
            str(path), "", f"is not UTF-8 (byte {error.start}); save it as UTF-8"
        ) from error
    data = parse(text, str(path))
    if not isinstance(data, dict):
        raise TaskError(str(path), "", f"must be a mapping of keys, not {_kind(data)}")
    return data


def parse(text: str, where: str) -> Any:
    """YAML text to data; `where` names its source in errors."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise TaskError(where, "", f"{line}{problem}") from error
    except RecursionError as error:
        raise TaskError(where, "", "is nested too deeply") from error


def _kind(data: object) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(data), "a number")
