"""`schema`: JSON schema that accepts every task of tasks/ and refuses slips."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Call

from harness.task import library
from harness.task.yaml_reader import read


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """The part of JSON schema that pydantic writes; an unknown keyword fails the test."""
    if "$ref" in schema:
        return accepts(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    types: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
        "boolean": bool, "null": type(None),
    }  # fmt: skip
    rules: dict[str, Callable[[Any], bool]] = {
        "title": lambda _: True, "default": lambda _: True, "description": lambda _: True,
        "$schema": lambda _: True, "$defs": lambda _: True, "format": lambda _: True,
        "required": lambda names: all(n in value for n in names),
        "properties": lambda keys: all(
            accepts(keys[k], v, root) for k, v in value.items() if k in keys
        ),
        "additionalProperties": lambda rest: rest is True or all(
            rest is not False and accepts(rest, v, root)
            for k, v in value.items() if k not in schema.get("properties", {})
        ),
        "items": lambda each: all(accepts(each, v, root) for v in value),
        "minItems": lambda n: len(value) >= n, "maxItems": lambda n: len(value) <= n,
        "minLength": lambda n: len(value) >= n, "prefixItems": lambda each: all(
            accepts(s, v, root) for s, v in zip(each, value, strict=False)
        ),
        "enum": lambda allowed: value in allowed,
        "const": lambda one: value == one,
        "anyOf": lambda options: any(accepts(o, value, root) for o in options),
        "minimum": lambda n: value >= n, "maximum": lambda n: value <= n,
        "exclusiveMinimum": lambda n: value > n, "exclusiveMaximum": lambda n: value < n,
        "pattern": lambda text: re.search(text, value) is not None,
        "type": lambda _: True,
    }  # fmt: skip
    assert set(schema) <= set(rules), set(schema) - set(rules)
    if "type" in schema:
        wanted = types[schema["type"]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            return False
    return all(rules[word](argument) for word, argument in schema.items())


@pytest.fixture
def schema(cli: Call) -> dict[str, Any]:
    ended = cli("schema")
    assert (ended.code, ended.err) == (0, "")
    printed: dict[str, Any] = json.loads(ended.out)
    assert printed["$schema"].startswith("https://json-schema.org/")
    return printed


@pytest.fixture
def good() -> dict[str, Any]:
    task: dict[str, Any] = read(library.tasks()["few_shot"])
    return task


@pytest.mark.parametrize("name", library.tasks())
def test_every_task_is_accepted(name: str, schema: dict[str, Any]) -> None:
    assert accepts(schema, read(library.tasks()[name]), schema)


@pytest.mark.parametrize(
    "slip",
    [
        {"clasifier": "text"}, {"shots": "many"}, {"shots": 0}, {"regime": "few_shots"},
        {"name": None}, {"recipe": {"epoch": 1}}, {"classes": {"pick": "ten"}},
        {"schedule": "released:soon"}, {"report": {"family": "rows"}}, {"recipe": {"lr": -1}},
        {"recipe": {"dropout": [0.1, 1.0]}},
    ],
    ids=str,
)  # fmt: skip
def test_slips_are_refused(slip: Any, schema: dict[str, Any], good: dict[str, Any]) -> None:
    assert not accepts(schema, good | slip, schema)


@pytest.mark.parametrize(
    "right",
    [
        {"shots": 1}, {"classifier": {"name": "lda", "shrinkage": 0.1}},
        {"recipe": {"lr": [1, 1e-3]}}, {"classes": "names.txt"}, {"train_classes": "half:0"},
        {"seeds": [3, 4]}, {"report": {"rows": ["classifier", "shots"], "published": "few_shot"}},
    ],
    ids=str,
)  # fmt: skip
def test_other_values_are_accepted(
    right: Any, schema: dict[str, Any], good: dict[str, Any]
) -> None:
    assert accepts(schema, good | right, schema)
