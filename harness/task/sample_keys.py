"""The keys `support` and `val`: which samples are trained on, and which are looked at to select."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from harness.core.cells import Choice


def _as_support(value: Any) -> Choice:
    """own, coop or {file: PATH} to Choice."""
    if isinstance(value, Choice):
        return value
    if value in ("own", "coop"):
        return Choice(value)
    match value:
        case {"file": str(path), **rest} if path and not rest:
            return Choice("file", (("path", path),))
    raise ValueError("must be own, coop or {file: PATH}")


def _as_val(value: Any) -> int | Choice | None:
    """A number, official, {official: K} or {official: coop}."""
    match value:
        case None | Choice():
            return value
        case bool():
            pass
        case int() if value > 0:
            return value
        case "official":
            return Choice("official")
        case {"official": bool()}:
            pass
        case {"official": "coop" | int() as k, **rest} if not rest and (k == "coop" or k > 0):
            return Choice("official", (("per_class", k),))
    raise ValueError("must be a number above 0, official, {official: K} or {official: coop}")


def written_choice(choice: Choice) -> Any:
    """The YAML form of a choice: {file: PATH} and {official: K} are written in their own way."""
    match choice:
        case Choice("file", (("path", path),)):
            return {"file": path}
        case Choice("official", (("per_class", k),)):
            return {"official": k}
    return choice.plain()


def _named_mapping(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: value}, "required": [key],
            "additionalProperties": False}  # fmt: skip


_POSITIVE = {"type": "integer", "exclusiveMinimum": 0}
Support = Annotated[
    Any,
    PlainValidator(_as_support),
    WithJsonSchema(
        {"anyOf": [{"enum": ["own", "coop"]}, _named_mapping("file", {"type": "string"})]}
    ),
]
Val = Annotated[
    Any,
    PlainValidator(_as_val),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["official", None]},
                _POSITIVE,
                _named_mapping("official", {"anyOf": [{"enum": ["coop"]}, _POSITIVE]}),
            ]
        }
    ),
]
