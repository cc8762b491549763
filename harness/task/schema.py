"""The keys of a task as pydantic models: types, ranges, defaults, and their JSON schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    model_validator,
)
from pydantic_core import core_schema

from harness.core.cells import Choice, ClassPick, Recipe
from harness.task.messages import LIST_OF_RECIPES
from harness.task.sample_keys import Support, SupportViews, Val
from harness.task.schema_types import (
    STRICT,
    Above0,
    AnyOf,
    Axis,
    Between,
    LogitScale,
    Margin,
    Named,
    Names,
    NotNegative,
    Part,
    Positive,
    ProximalTerm,
    Rate,
    Steps,
)
from harness.task.tuning import StageModel, Tuning
from harness.task.yaml_reader import reads_as_text


class _Model(BaseModel):
    model_config = STRICT


class ClassesModel(_Model):
    """`classes: {pick: 100, seed: 0, from: unseen}`."""

    pick: Positive | None = None
    seed: StrictInt = 0
    part: StrictStr = Field(default="all", alias="from")
    file: StrictStr | None = None
    half: StrictInt | None = None

    def to_pick(self) -> ClassPick:
        return ClassPick(self.pick, self.part, self.file, self.half)


def _as_classes(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("half:"):
        number = value.removeprefix("half:")
        if not number.isdigit():
            raise ValueError("half: takes a whole number, as in half:0")
        return {"half": int(number)}
    return {"file": value} if isinstance(value, str) else value


class _ClassesSchema:
    """In the JSON schema classes are a mapping, or text: a file of names, or half:SEED."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


Classes = Annotated[ClassesModel, BeforeValidator(_as_classes), _ClassesSchema()]


Precision = Literal["float32", "tf32", "bfloat16", "float16"]

_R: Any = Recipe()


class RecipeModel(_Model):
    """How cells train. A list is an axis: `lr: [1e-4, 3e-4]`."""

    optimiser: Annotated[list[Literal["adamw", "adam", "sgd"]], *Axis] = [_R.optimiser]
    lr: Annotated[list[NotNegative], *Axis] = [_R.lr]
    lr_new: Annotated[list[NotNegative], *Axis] = [_R.lr_new]
    weight_decay: Annotated[list[NotNegative], *Axis] = [_R.weight_decay]
    warmup_epochs: Annotated[list[NotNegative], *Axis] = [_R.warmup_epochs]
    epochs: Annotated[list[Positive], *Axis] = [_R.epochs]
    batch: Annotated[list[Positive], *Axis] = [_R.batch]
    decay: Annotated[list[Literal["cosine", "constant"]], *Axis] = [_R.decay]
    dropout: Annotated[list[Rate], *Axis] = [_R.dropout]
    precision: Annotated[list[Precision], *Axis] = [_R.precision]
    micro_batch: Annotated[list[Positive | None], *Axis] = [_R.micro_batch]
    augment: Annotated[list[Literal["none", "crop_flip", "crop"]], *Axis] = [_R.augment]
    logit_scale: Annotated[list[LogitScale | None], *Axis] = [None]
    #: Not given: true, and false under tuning head.
    train_logit_scale: Annotated[list[StrictBool], *Axis] | None = None
    checkpointing: Annotated[list[StrictBool], *Axis] = [_R.checkpointing]
    evaluation: Annotated[list[Precision], *Axis] = [_R.evaluation]
    channels_last: Annotated[list[StrictBool], *Axis] = [_R.channels_last]
    compile: Annotated[list[StrictBool], *Axis] = [_R.compile]
    deterministic: Annotated[list[StrictBool | None], *Axis] = [None]
    #: null: what fits, lbfgs for a strength l2, else first_order.
    solver: Annotated[list[StrictStr | None], *Axis] = [None]
    l2: Annotated[list[Above0 | None], *Axis] = [None]
    iterations: Annotated[list[Steps | None], *Axis] = [None]  # in place of epochs
    proximal: Annotated[list[ProximalTerm | None], *Axis] = [None]
    crop: Annotated[list[Literal["tsn"] | None], *Axis] = [None]
    repeats: Annotated[list[Literal["random"] | None], *Axis] = [None]
    lr_every: Annotated[list[Positive | None], *Axis] = [None]
    batch_norm: Annotated[list[Literal["updated"] | None], *Axis] = [None]
    epoch_length: Annotated[list[Literal["full"] | None], *Axis] = [None]
    preset: StrictStr | None = None  # a file of tasks/recipes/, read before validation
    #: By the name of a tuned part, paradigm or classifier, or several of them: head/text.
    by: dict[StrictStr, RecipeModel] = {}


def _name_of_recipe(value: str) -> str:
    """`exclude` and the command line name a recipe without quotes."""
    if not reads_as_text(value):
        raise ValueError("is no text in YAML without quotes: choose another name")
    return value


class NamedRecipeModel(RecipeModel):
    """One of several recipes. The name is a label and no part of what a cell is."""

    name: Annotated[
        StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$"), AfterValidator(_name_of_recipe)
    ]


Recipes = Annotated[
    Annotated[RecipeModel, Tag(RecipeModel.__name__)]
    | Annotated[list[NamedRecipeModel], Field(min_length=1), Tag(LIST_OF_RECIPES)],
    Discriminator(lambda v: LIST_OF_RECIPES if isinstance(v, list) else RecipeModel.__name__),
    AnyOf(),
]


#: `dataset` is another name of these_datasets.
Average = Annotated[
    Literal["these_datasets", "new_datasets", "dataset"],
    AfterValidator(lambda v: "these_datasets" if v == "dataset" else v),
]


class EarlierSearch(_Model):
    """The search, in another task, that chose the recipes or options of this one."""

    task: StrictStr
    configurations: Positive  # the most that were tried for one row
    best_for: StrictStr | None = None  # a row: all have the best one for it; null: each its own


class ReportModel(_Model):
    rows: Names | None = None
    columns: Names | None = None
    reference: StrictStr | None = None
    family: Literal["column", "reference", "table"] = "column"
    published: Names = []
    notes: list[StrictStr] = []
    correlation: StrictInt = Field(default=20, ge=2)
    curves: StrictBool = False  # draw the training loss over the epochs
    #: What is random beside seeds; null: what the groups of the test set suggest.
    estimand: Literal["new_classes", "these_classes", "these_items"] | None = None
    margin: Margin | None = None  # points; differences inside it do not matter
    within: StrictStr | None = None  # an axis: compare rows that differ in it alone
    chosen_by: EarlierSearch | None = None  # where the search budget was spent before
    average: Average | None = None  # means over data sets: of these, or as a sample of others


#: `search: declared`: every method tries the space that it declares.
DECLARED: Literal["declared"] = "declared"
Search = Annotated[
    Annotated[Literal["declared"], Tag("str")] | Annotated[dict[StrictStr, list[Any]], Tag("dict")],
    Discriminator(lambda v: "str" if isinstance(v, str) else "dict"),
    AnyOf(),
]


class LoaderModel(_Model):
    """How data reach the device. It changes no number."""

    #: Processes that read ahead of a training; null: the cores of the process, 0: none.
    workers: Annotated[StrictInt, Field(ge=0, le=1024)] | None = None


class EmbeddedModel(_Model):
    """The variant of a task on embedded data (`--embedded`)."""

    relation: Literal["same", "analogue", "not_testable"]
    why: StrictStr = ""
    replace: dict[StrictStr, Any] = {}  # keys of the task; under recipe only those that it names

    @model_validator(mode="after")
    def _says_why(self) -> EmbeddedModel:
        if self.relation != "same" and not self.why:
            raise ValueError(f"relation '{self.relation}' needs the key why")
        return self


def _as_text(value: Any) -> Any:
    """Labels of rows and columns are text, but YAML reads some, such as shots, as numbers."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Label = Annotated[StrictStr, BeforeValidator(_as_text), Field(min_length=1)]


class ClaimModel(_Model):
    """A statement of the paper about two rows: a is above b, or they are equal."""

    text: StrictStr
    table: Label | None = None  # the paper's table or figure
    a: Label
    b: Label
    column: Label | None = None
    where: dict[StrictStr, Any] = {}  # a partial cell
    direction: Literal[">", "="]
    #: The paper's numbers for a and b: each is [row, column] of `table` in published/text4vis.
    printed: list[tuple[Label, Label]] = Field(default=[], max_length=2)
    #: top1; loss: the mean training loss of all epochs; steps: the training steps until the loss of
    #: an epoch is at most `target`; correlation: how a row's map of cosines between classes, after
    #: training, correlates with that of the text classifier.
    measure: Literal["top1", "loss", "steps", "correlation"] = "top1"
    #: Points: how far apart rows may be that are called equal. Without it report.margin.
    margin: Margin | None = None
    target: Above0 | None = None  # nats, of `measure: steps`

    @model_validator(mode="after")
    def _fits_its_measure(self) -> ClaimModel:
        if (self.measure == "steps") != (self.target is not None):
            raise ValueError("'target' (nats) belongs to 'measure: steps', which needs it")
        if self.margin is not None and (self.direction, self.measure) != ("=", "top1"):
            raise ValueError("'margin' belongs to claims of equal accuracy (direction '=', top1)")
        return self


class Task(_Model):
    """One study as its YAML describes it. Keys that take a list are axes of the grid."""

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    question: StrictStr = ""
    dataset: Annotated[list[Named], *Axis]
    regime: Annotated[list[Literal["full", "fraction", "few_shot", "zero_shot"]], *Axis]
    shots: Annotated[list[Positive], *Axis] | None = None
    fraction: Annotated[list[Part], *Axis] | None = None
    support: Annotated[list[Support], *Axis] = [Choice("own")]
    support_views: Annotated[list[SupportViews | None], *Axis] = [None]
    classes: Classes = ClassesModel()
    class_seed: Annotated[list[StrictInt], *Axis] | None = None
    train_classes: Classes | None = None
    #: null: the dataset itself.
    test_dataset: Annotated[list[Named | None], *Axis] | None = None
    test_classes: Annotated[list[Literal["base", "new"]], *Axis] | None = None
    encoder: Annotated[list[Named], *Axis]
    text_encoder: Annotated[list[Named | None], *Axis] = [None]
    alignment: Annotated[list[StrictStr | None], *Axis] = [None]
    prompt: Annotated[list[Named], *Axis] = [Choice("class_name")]
    temporal: Annotated[list[Named], *Axis] = [Choice("none")]
    frames: Annotated[list[Positive], *Axis] | None = None
    resolution: Annotated[list[Annotated[StrictInt, Field(ge=16, le=2048)] | None], *Axis] = [None]
    views: Annotated[list[Annotated[StrictStr, Field(pattern=r"^[1-9]\d?x[1-9]\d?$")]], *Axis] = [
        "1x1"
    ]
    #: Not given: text, and random for a linear head that is trained on frozen features.
    classifier: Annotated[list[Named], *Axis] | None = None
    clip_starts: Annotated[list[Literal["linspace"] | None], *Axis] = [None]
    crops: Annotated[list[Literal["full_resolution"] | None], *Axis] = [None]
    feature_precision: Annotated[list[Precision], *Axis] = ["float32"]
    schedule: Annotated[
        list[Annotated[StrictStr, Field(pattern=r"^(frozen|trained|released:\d+)$")]], *Axis
    ] = ["frozen"]
    paradigm: Annotated[list[Named], *Axis] = [Choice("vision_text")]
    gather: Annotated[list[StrictBool], *Axis] = [True]
    text_tower: Annotated[list[Literal["offline", "online"]], *Axis] = ["offline"]
    loss: Annotated[list[Literal["kl", "infonce"]], *Axis] = ["kl"]
    method: Annotated[list[Named | None], *Axis] = [None]
    tuning: Annotated[list[Tuning], *Axis] = ["projection"]
    #: One after the other within the budget of the recipe, in place of `tuning`.
    stages: Annotated[list[StageModel], Field(min_length=2)] | None = None
    #: Weights between before (0) and after training (1); null is 1.
    interpolate: Annotated[list[Between | None], *Axis] = [None]
    recipe: Recipes = RecipeModel()
    search: Search | None = None
    selection: Literal["last", "val", "test"] = "last"
    allow_test_selection: StrictBool = False
    val: Val = None
    few: Literal["refuse", "take_all"] = "refuse"
    exclude_shared: StrictBool = False
    allow: Names = []
    split: StrictStr | None = None
    seeds: StrictInt | list[StrictInt] = 5
    init: StrictStr | None = None
    save: Literal["none", "last"] = "none"
    measures: Names = []  # beyond those of harness/measures/: package.module:object
    budget: dict[StrictStr, Any] | None = None
    loader: LoaderModel = LoaderModel()
    protocol: StrictStr | None = None  # a file of tasks/protocols/, applied before validation
    exclude: list[dict[StrictStr, Any]] = []
    include: list[dict[StrictStr, Any]] = []
    report: ReportModel = ReportModel()
    embedded: EmbeddedModel | None = None
    claims: list[ClaimModel] = []

    def seed_list(self) -> list[int]:
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)

    def spaces(self) -> dict[str, list[Any]]:
        """What `search` names itself: nothing where methods declare it."""
        return self.search if isinstance(self.search, dict) else {}

    def recipes(self) -> dict[str | None, RecipeModel]:
        """The named recipes; the only one of a task that names none is under None."""
        if isinstance(self.recipe, RecipeModel):
            return {None: self.recipe}
        return {recipe.name: recipe for recipe in self.recipe}


def recipe_key(name: str | None) -> str:
    """The dotted key of a recipe in messages and overrides: recipe, or recipe.NAME."""
    return "recipe" if name is None else f"recipe.{name}"
