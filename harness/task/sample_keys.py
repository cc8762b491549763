"""The keys `support`, `support_views` and `val`: which samples are trained on and in which views,
and which are looked at to select.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    field_validator,
)

from harness.core.cells import Choice
from harness.task.schema_types import AreaShare

#: Most views of a picture: above it is a mistake.
MOST_VIEWS = 10_000


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


class SupportViewsModel(BaseModel):
    """`support_views: {n: 10, scale: [0.5, 1], flip: true, use: pool}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    n: Annotated[StrictInt, Field(ge=1, le=MOST_VIEWS)]
    #: Range of the share of the area; not given: that of `recipe.augment`.
    scale: Annotated[list[AreaShare], Field(min_length=2, max_length=2)] = [
        0.08,
        1.0,
    ]
    flip: StrictBool | None = None  # null: unless the data set declares that sides matter
    use: Literal["pool", "mean", "cycle"] = "pool"

    @field_validator("scale")
    @classmethod
    def _ordered(cls, scale: list[float]) -> list[float]:
        if scale[0] > scale[1]:
            raise ValueError("must be [LOW, HIGH], and LOW not above HIGH")
        return [float(share) for share in scale]

    def to_choice(self) -> Choice:
        """Its name is how the views are used."""
        options = {"flip": self.flip, "n": self.n, "scale": tuple(self.scale)}
        return Choice(self.use, tuple(options.items()))


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
    """The YAML form of a choice: {file: PATH}, {official: K} and the views of support pictures are
    written in their own way.
    """
    match choice:
        case Choice("pool" | "mean" | "cycle", (("flip", flip), ("n", n), ("scale", scale))):
            return {"n": n, "scale": list(scale), "flip": flip, "use": choice.name}
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
SupportViews = Annotated[SupportViewsModel, AfterValidator(SupportViewsModel.to_choice)]
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
