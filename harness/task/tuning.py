"""The tuned part of a task: by name, or with options (`tuning: {head: {normalise: false}}`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    Tag,
    WithJsonSchema,
    model_validator,
)

from harness.core.cells import STAGES, Choice, HeadSpec, LoraSpec, Stage
from harness.task.schema_types import STRICT, Above0, AnyOf, Axis, NotNegative, Positive, Rate


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


Target = Literal["q", "k", "v", "o", "mlp"]
Tower = Literal["image", "text"]
_LORA = LoraSpec()


class LoraModel(_Model):
    """`tuning: {lora: {rank: 4}}`: adapters in the attention of the towers."""

    rank: Positive = _LORA.rank
    alpha: Above0 = _LORA.alpha
    scaling: Literal["alpha/r", "alpha/sqrt_r"] = "alpha/sqrt_r"
    dropout: Rate = _LORA.dropout
    targets: Annotated[list[Target], *Axis] = ["q", "k", "v"]
    towers: Annotated[list[Tower], *Axis] = ["image", "text"]

    def to_spec(self) -> LoraSpec:
        """The order of targets and towers, and names that are written twice, have no meaning."""
        targets = tuple(name for name in get_args(Target) if name in self.targets)
        towers = tuple(name for name in get_args(Tower) if name in self.towers)
        return LoraSpec(
            self.rank, float(self.alpha), self.scaling, float(self.dropout), targets, towers
        )


class TuningModel(_Model):
    """`tuning: {head: {...}}` or `{lora: {...}}`: a tuned part with options."""

    head: HeadModel | None = None
    lora: LoraModel | None = None

    @model_validator(mode="after")
    def _is_one(self) -> TuningModel:
        if (self.head is None) == (self.lora is None):
            raise ValueError("has options of one tuned part: head or lora")
        return self

    @property
    def name(self) -> str:
        """The tuned part."""
        return "head" if self.head is not None else "lora"


def _with_options(value: Any) -> str:
    return "str" if isinstance(value, str) else TuningModel.__name__


TuningName = Literal["none", "head", "projection", "prompt", "norm", "bias", "lora", "all"]
TUNINGS: tuple[str, ...] = get_args(TuningName)

Tuning = Annotated[
    Annotated[TuningName, Tag("str")] | Annotated[TuningModel, Tag("TuningModel")],
    Discriminator(_with_options),
    AnyOf(),
]


def stages_fields(stages: Sequence[StageModel]) -> dict[str, Any]:
    """The fields of a cell that is trained in stages."""
    made = tuple(stage.to_stage() for stage in stages)
    return {"tuning": STAGES, "head": None, "lora": None, "stages": made}


def tuning_fields(value: str | TuningModel) -> dict[str, Any]:
    """Name and options of the tuned part."""
    name = value if isinstance(value, str) else value.name
    head = value.head if isinstance(value, TuningModel) else None
    lora = value.lora if isinstance(value, TuningModel) else None
    return {
        "tuning": name,
        "head": (head or HeadModel()).to_spec() if name == "head" else None,
        "lora": (lora or LoraModel()).to_spec() if name == "lora" else None,
        "stages": None,
    }


class StageRecipe(_Model):
    """Keys of the recipe that a stage has for itself."""

    optimiser: Literal["adamw", "adam", "sgd"] | None = None
    lr: NotNegative | None = None
    lr_new: NotNegative | None = None
    weight_decay: NotNegative | None = None
    warmup_epochs: NotNegative | None = None
    batch: Positive | None = None
    decay: Literal["cosine", "constant"] | None = None
    dropout: Rate | None = None

    def to_pairs(self) -> tuple[tuple[str, Any], ...]:
        """The keys that it names. 1 and 1.0 are one number."""
        named = {k: v for k in type(self).model_fields if (v := getattr(self, k)) is not None}
        return tuple(
            (k, v if k == "batch" or isinstance(v, str) else float(v))
            for k, v in sorted(named.items())
        )


class StageModel(_Model):
    """`stages: [{share: 0.6, tuning: norm}, {share: 0.4, tuning: head}]`: one of them."""

    share: Annotated[StrictFloat, Field(gt=0, lt=1)]
    tuning: Tuning
    recipe: StageRecipe = StageRecipe()

    @model_validator(mode="after")
    def _trains(self) -> StageModel:
        if self.tuning == "none":
            raise ValueError("tuning: none trains nothing: leave the stage out")
        if isinstance(self.tuning, TuningModel) and self.tuning.head is not None:
            raise ValueError("tuning: head has no options in a stage, where W goes on as it is")
        return self

    def to_stage(self) -> Stage:
        """As a cell has it."""
        fields = tuning_fields(self.tuning)
        return Stage(self.share, fields["tuning"], fields["lora"], self.recipe.to_pairs())


def tuned_parts(stages: Sequence[Stage], head: HeadSpec | None) -> str | Choice:
    """The tuned part, with the options of a head or of adapters that differ from their defaults;
    of stages all parts, in order.
    """
    if len(stages) > 1:
        return " then ".join(stage.tuning for stage in stages)
    (stage,) = stages
    options = head or stage.lora
    plain = options.plain() if options is not None else {}
    return Choice(stage.tuning, tuple(sorted(plain.items()))) if plain else stage.tuning
