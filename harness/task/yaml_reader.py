"""Safe YAML that refuses duplicate keys and reads 5e-6 as a number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from harness.core.errors import TaskError
from harness.core.text_files import NotText, decoded

MAX_BYTES = 1_000_000
#: A few lines of nested aliases can expand to more nodes than memory holds.
MAX_NODES = 100_000


_INT = "tag:yaml.org,2002:int"
#: 010 is 8, and 1:30 is 90, which nobody means; 007 is 7.
_OTHER_BASE = re.compile(r"[-+]?(0[0_]*[1-7_][0-7_]+|[0-9_]+(:[0-9_]+)+)")
_BOOL, _TEXT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses duplicate keys and gives the line of every bad value."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # the 13th month, a number of 5,000 digits
            raise yaml.constructor.ConstructorError(
                None, None, str(error), node.start_mark
            ) from error

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
            raise yaml.constructor.ConstructorError(
                None, None, "half a character (a lone surrogate)", node.start_mark
            )
        if node.tag == _INT and _OTHER_BASE.fullmatch(str(value)):
            raise yaml.constructor.ConstructorError(
                None, None, f"{value} is a number to the base of 8 or 60 in YAML: write it without "
                "the 0 at its start or the colon, or as text in quotes", node.start_mark,
            )  # fmt: skip
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == _BOOL:
                key_node.tag = _TEXT  # YAML 1.1 has `on` and `no` as booleans; a key is a name
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


# YAML 1.1 requires a dot in a float, so PyYAML reads 5e-6 as text without this.
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
        text = decoded(raw)
    except NotText as error:
        raise TaskError(str(path), "", str(error)) from error
    data = parse(text, str(path))
    if not isinstance(data, dict):
        raise TaskError(str(path), "", f"must be a mapping of keys, not {_kind(data)}")
    return data


def parse(text: str, where: str) -> Any:
    """YAML text to data; `where` names its source in errors."""
    try:
        return _load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise TaskError(where, "", f"{line}{problem}") from error
    except RecursionError as error:
        raise TaskError(where, "", "is nested too deeply") from error


def reads_as_text(text: str) -> bool:
    """Whether YAML reads it, without quotes, as the text that it is: not so 12, on and null."""
    try:
        return bool(parse(text, "") == text)
    except TaskError:
        return False


def _load(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many nodes a node has with all aliases expanded; too many, or a cycle, is an error."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise yaml.constructor.ConstructorError(
                None, None, "an alias that contains itself", node.start_mark
            )
        return size
    known[id(node)] = None
    size = 1
    if isinstance(node, yaml.MappingNode):
        size += sum(_count(key, known) + _count(value, known) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_count(value, known) for value in node.value)
    if size > MAX_NODES:
        raise yaml.constructor.ConstructorError(
            None, None, f"aliases expand to more than {MAX_NODES} values", node.start_mark
        )
    known[id(node)] = size
    return size


def _kind(data: object) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(data), "a number")
