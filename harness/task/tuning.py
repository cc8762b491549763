"""The tuned part of a task: by name, or with options (`tuning: {head: {normalise: false}}`)."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Discriminator, PlainValidator, StrictBool, Tag, WithJsonSchema

from harness.core.cells import Choice, HeadSpec
from harness.task.schema_types import STRICT, AnyOf


def _name_or_number(*names: str) -> tuple[PlainValidator, WithJsonSchema]:
    """One of some names, or a number above 0. 2 and 2.0 are one number."""

    def check(value: Any) -> str | float:
        if isinstance(value, str) and value in names:
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and 0 < value < math.inf:
            return float(value)
        raise ValueError(f"must be {' or '.join(names)}, or a number above 0")

    number = {"type": "number", "exclusiveMinimum": 0}
    return PlainValidator(check), WithJsonSchema({"anyOf": [{"enum": list(names)}, number]})


class _Model(BaseModel):
    model_config = STRICT


class HeadModel(_Model):
    """`tuning: {head: {normalise: false}}`: the head that is trained on frozen features."""

    on: Literal["embedding", "backbone"] = "embedding"
    normalise: StrictBool = True
    standardise: StrictBool = False
    bias: StrictBool = True
    start_norm: Annotated[Any, *_name_or_number("unit", "raw")] = "unit"
    start_scale: Annotated[Any, *_name_or_number("pretrained")] = 1.0

    def to_spec(self) -> HeadSpec:
        return HeadSpec(**{name: getattr(self, name) for name in type(self).model_fields})


class TuningModel(_Model):
    """`tuning: {head: {...}}`: a tuned part with options."""

    head: HeadModel


def _with_options(value: Any) -> str:
    return "str" if isinstance(value, str) else TuningModel.__name__


TuningName = Literal["none", "head", "projection", "all"]
TUNINGS: tuple[str, ...] = get_args(TuningName)

Tuning = Annotated[
    Annotated[TuningName, Tag("str")] | Annotated[TuningModel, Tag("TuningModel")],
    Discriminator(_with_options),
    AnyOf(),
]

#: Where they take TF32 or a 16-bit format, numbers are kept in float32 and computed in it.


def tuning_fields(value: str | TuningModel) -> dict[str, Any]:
    """Name and options of the tuned part."""
    if isinstance(value, TuningModel):
        return {"tuning": "head", "head": value.head.to_spec()}
    return {"tuning": value, "head": HeadSpec() if value == "head" else None}


def tuned_part(tuning: str, head: HeadSpec | None) -> str | Choice:
    """The tuned part, with the options of a head that differ from their defaults."""
    options = head.plain() if head is not None else {}
    return Choice(tuning, tuple(sorted(options.items()))) if options else tuning
