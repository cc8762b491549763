"""The types of values under the keys of a task: axes, choices of plugins, numbers in a range."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    Tag,
)
from pydantic_core import core_schema

from harness.core.cells import Choice
from harness.core.logit_scales import checked_factor

#: What the mappings of a task have in common: no other keys, and no change afterwards.
STRICT = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class AnyOf:
    """In the JSON schema a value of one of several forms, as the other choices are."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": handler(schema)["oneOf"]}


class AxisSchema:
    """In the JSON schema an axis is one value or a list of them."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}


def as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _as_choice(value: Any) -> Any:
    """`name` or `{name: ..., option: ...}` to Choice."""
    if isinstance(value, Choice):
        return value
    if isinstance(value, str) and value:
        return Choice(value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        options = {str(k): _hashable(v) for k, v in value.items() if k != "name"}
        return Choice(value["name"], tuple(sorted(options.items())))
    raise ValueError("must be a name, or {name: ..., options ...}")


def _hashable(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_hashable(v) for v in value)
    if isinstance(value, dict):
        raise ValueError("options are plain values or lists of them")
    return value


class _ChoiceSchema:
    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(_as_choice)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        return {"anyOf": [{"type": "string"}, named]}


Named = Annotated[Choice, _ChoiceSchema()]
Positive = Annotated[StrictInt, Field(gt=0)]
Part = Annotated[StrictFloat, Field(gt=0, le=1)]
Axis = [BeforeValidator(as_list), AxisSchema(), Field(min_length=1)]
NotNegative = Annotated[StrictFloat, Field(ge=0)] | Annotated[StrictInt, Field(ge=0)]
Above0 = Annotated[StrictFloat, Field(gt=0)] | Annotated[StrictInt, Field(gt=0)]
Margin = Annotated[StrictFloat, Field(gt=0, lt=100)] | Annotated[StrictInt, Field(gt=0, lt=100)]
#: Of an area. The bound stands in both types: beside a union it is no JSON schema.
AreaShare = Annotated[StrictFloat, Field(gt=0, le=1)] | Annotated[StrictInt, Field(gt=0, le=1)]
LogitScale = Annotated[Above0, AfterValidator(checked_factor)]
Rate = Annotated[StrictFloat, Field(ge=0, lt=1)] | Annotated[StrictInt, Field(ge=0, lt=1)]
#: Of the way between two ends, which belong to it.
Between = Annotated[StrictFloat, Field(ge=0, le=1)] | Annotated[StrictInt, Field(ge=0, le=1)]
Views = Annotated[StrictStr, Field(pattern=r"^[1-9]\d?x[1-9]\d?$")]
Names = Annotated[list[StrictStr], BeforeValidator(as_list), AxisSchema()]


class ProximalModel(BaseModel):
    """`proximal: {strength: 1.0, relative: true}`. per_shot: the strength is divided by the number
    of shots to this power. weights: the strength of class c is multiplied by its mean probability
    under the start over its samples, and the term is a mean over classes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    strength: Above0
    relative: StrictBool = True
    per_shot: Literal[0, 1, 2] = 0
    weights: Literal["zero_shot"] | None = None


def _as_proximal(value: Any) -> Any:
    """A number is a relative strength."""
    if isinstance(value, dict | ProximalModel):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"strength": value}
    raise ValueError("must be a strength above 0, or {strength: ..., relative: true | false, ...}")


class PerShot(BaseModel):
    """`iterations: {per_shot: 300}`: so many for every shot."""

    model_config = STRICT

    per_shot: Positive

    def of(self, shots: int | None) -> int:
        """For K shots. Raises ValueError where there is no K."""
        if shots is None:
            raise ValueError("per_shot: the regime has no number of shots")
        return self.per_shot * shots


def _form_of_steps(value: Any) -> str:
    return PerShot.__name__ if isinstance(value, dict | PerShot) else "int"


#: A budget in steps.
Steps = Annotated[
    Annotated[Positive, Tag("int")] | Annotated[PerShot, Tag("PerShot")],
    Discriminator(_form_of_steps),
    AnyOf(),
]


class _ProximalSchema:
    """In the JSON schema a proximal term is a strength or a mapping."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, handler(schema)]}


ProximalTerm = Annotated[ProximalModel, BeforeValidator(_as_proximal), _ProximalSchema()]
