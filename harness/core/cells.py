"""Plain frozen data: a cell of the grid and the choices in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any

#: Values of test_classes.
BASE, NEW = "base", "new"


@dataclass(frozen=True, slots=True)
class Choice:
    """A plugin by name, with its options: `lda` or `{name: lda, shrinkage: 0.1}`."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def plain(self) -> Any:
        """The YAML form."""
        return {"name": self.name, **dict(self.options)} if self.options else self.name

    def __str__(self) -> str:
        if not self.options:
            return self.name
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in self.options)})"


#: The harness's own draw of a support set.
OWN = Choice("own")
#: min(K, 4) validation samples of every class, drawn after the support set by CoOp's rule.
COOP_VAL = Choice("official", (("per_class", "coop"),))


def _without_defaults(part: Any) -> dict[str, Any]:
    """Fields of frozen data that have another value than their default."""
    kind: Any = type(part)
    defaults = _defaults(kind)
    return {name: value for name, default in defaults if (value := getattr(part, name)) != default}


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    """(name, default) of every field."""
    return tuple((f.name, f.default) for f in fields(kind))


@dataclass(frozen=True, slots=True)
class ClassPick:
    """Which classes take part: `{pick: 100, seed: 0, from: unseen}` or a file of names."""

    pick: int | None = None
    part: str = "all"
    file: str | None = None
    half: int | None = None

    def __str__(self) -> str:
        if self.file is not None:
            return f"classes of {self.file}"
        how_many = "half" if self.half is not None else self.pick or "all"
        return f"{how_many} of {self.part}" if self.part != "all" else f"{how_many} classes"

    def plain(self) -> dict[str, Any]:
        return _without_defaults(self)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a cell trains. lr and lr_new are those of the two groups of the paper (section 4.1)."""

    optimiser: str = "adamw"
    lr: float = 5e-6
    lr_new: float = 5e-5
    weight_decay: float = 0.2
    warmup_epochs: float = 5.0
    epochs: int = 30
    batch: int = 128
    decay: str = "cosine"
    dropout: float = 0.0
    precision: str = "float32"
    micro_batch: int | None = None
    augment: str = "none"
    logit_scale: float | None = None
    train_logit_scale: bool = True
    checkpointing: bool = False
    evaluation: str = "float32"  # precision in which a tuned backbone is evaluated
    channels_last: bool = False  # how pictures and weights of a tuned backbone lie in memory
    compile: bool = False  # a tuned backbone by torch.compile
    deterministic: bool | None = None  # None: where there are kernels; True: else it fails
    solver: str | None = None  # None: lbfgs for a strength l2, else first_order
    l2: float | None = None  # mean loss + (l2/2)|W|^2, bias free: lbfgs and ridge
    iterations: int | None = None  # a budget in steps, in place of epochs
    proximal: float | None = None  # strength of what holds W, or the projection, to its start
    proximal_relative: bool = True  # the strength is divided by the start's squared length
    proximal_per_shot: int = 0  # and by the number of shots to this power
    proximal_weights: str | None = None  # zero_shot: a strength for every class
    # Choices of the paper's public code that differ from ours (None).
    crop: str | None = None  # tsn: how the random crop is drawn
    repeats: str | None = None  # random: which frames of a video of fewer than T frames repeat
    lr_every: int | None = None  # iterations between settings of the learning rate (None: 1)
    batch_norm: str | None = None  # updated: with the statistics of the batch
    epoch_length: str | None = None  # full: few-shot epochs as long as those of all samples

    def plain(self) -> dict[str, Any]:
        return _without_defaults(self)


#: Tuned parts that are in the towers, so that pictures go through the backbone at every step. Those
#: of `lora` may be in the text tower alone.
OF_TOWERS = ("all", "norm", "bias", "lora")

#: Keys of a recipe that only a tuned backbone reads: how it is run.
ONLY_TUNED = ("evaluation", "channels_last", "compile")


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """The head of `tuning: head`: which features it reads, and from where W starts.

    A field that does not apply to the paradigm has its default.
    """

    on: str = "embedding"  # embedding (z, after the projection) | backbone (h, before it)
    normalise: bool = True  # features to length 1
    standardise: bool = False  # then to mean 0 and variance 1 over the support set
    bias: bool = True
    start_norm: str | float = "unit"  # unit | raw | a length: of the rows of W at the start
    start_scale: str | float = 1.0  # pretrained (the logit scale) | a factor of W at the start

    def plain(self) -> dict[str, Any]:
        return _without_defaults(self)


@dataclass(frozen=True, slots=True)
class LoraSpec:
    """The adapters of `tuning: lora`: W + scaling B A in place of W. The defaults are CLIP-LoRA's.

    (Zanella and Ben Ayed, CVPRW 2024, arXiv 2405.18541.)
    """

    rank: int = 2
    alpha: float = 1.0
    scaling: str = "alpha/sqrt_r"  # alpha/sqrt_r | alpha/r
    dropout: float = 0.25  # of the adapters' input, in training
    #: Layers of every block: q, k, v, o (all of the attention), mlp.
    targets: tuple[str, ...] = ("q", "k", "v")
    towers: tuple[str, ...] = ("image", "text")

    @property
    def factor(self) -> float:
        """The number that B A is multiplied by."""
        divisor = self.rank if self.scaling == "alpha/r" else math.sqrt(self.rank)
        return self.alpha / divisor

    def plain(self) -> dict[str, Any]:
        return _without_defaults(self)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a training that tunes other weights than the part before it."""

    share: float  # of the budget
    tuning: str
    lora: LoraSpec | None = None
    recipe: tuple[tuple[str, Any], ...] = ()  # keys that differ from the cell's recipe

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        lora = {} if self.lora is None else {"lora": self.lora.plain()}
        recipe = {"recipe": dict(self.recipe)} if self.recipe else {}
        return {"share": self.share, "tuning": self.tuning, **lora, **recipe}

    @property
    def tunes_backbone(self) -> bool:
        """See `Cell.tunes_backbone`."""
        return _in_image_tower(self.tuning, self.lora)

    @property
    def tunes_texts(self) -> bool:
        """Whether it trains a text tower whose texts are encoded at every step."""
        trains = self.tuning not in ("none", "head", "prompt")
        return trains and (self.lora is None or "text" in self.lora.towers)


#: The tuned part of a cell with stages.
STAGES = "stages"


@dataclass(frozen=True, slots=True)
class Cell:
    """One fully resolved combination: a row of the grid at one seed.

    A field that does not apply to the cell is None. `plain` leaves out fields with their default
    value, so a field that is added later changes no key.
    """

    dataset: Choice
    regime: str
    encoder: Choice
    shots: int | None = None
    fraction: float | None = None
    classes: ClassPick = ClassPick()
    class_seed: int | None = None
    train_classes: ClassPick | None = None
    test_dataset: Choice | None = None
    text_encoder: Choice | None = None
    alignment: str | None = None
    prompt: Choice | None = None
    temporal: Choice | None = None
    frames: int | None = None
    resolution: int | None = None
    views: str = "1x1"
    classifier: Choice | None = None
    schedule: str | None = None
    paradigm: Choice | None = Choice("vision_text")  # None for a method
    gather: bool | None = None
    text_tower: str | None = None
    loss: str | None = None
    method: Choice | None = None
    tuning: str = "projection"
    head: HeadSpec | None = None  # with tuning head
    lora: LoraSpec | None = None  # with tuning lora
    stages: tuple[Stage, ...] | None = None  # with tuning stages: one after the other
    recipe: Recipe | None = None
    selection: str = "last"
    #: Searched hyper-parameters with their values: a key of the recipe, or `method.OPTION`.
    search: tuple[tuple[str, tuple[Any, ...]], ...] | None = None
    #: Validation samples: so many per class, kept out of training; or those of the official split,
    #: Choice("official"), perhaps with per_class: a number, or coop.
    val: int | Choice | None = None
    init: str | None = None
    clip_starts: str | None = None  # linspace: as the paper's public code spreads clips
    crops: str | None = None  # full_resolution: as the paper's public code crops in evaluation
    few: str = "refuse"  # what to do with classes of fewer than `shots` samples
    exclude_shared: bool = False  # leave classes that the test set has as well out of training
    #: base (the classes trained on) or new (the others): which of `classes` are tested. With it
    #: train_classes are drawn from `classes`.
    test_classes: str | None = None
    allow: tuple[str, ...] = ()  # perils that the task accepts; they change no number and no key
    support: Choice = OWN  # own | coop | file (path: a published list)
    #: Random crops of the support pictures in place of these: pool | mean | cycle, with n, scale,
    #: flip (see `harness.sampling.support_views`).
    support_views: Choice | None = None
    #: float32 | tf32 | bfloat16 | float16: how the features of a frozen encoder are computed.
    feature_precision: str = "float32"
    #: a: the weights that are evaluated are (1 - a) before + a after training; None: 1.
    interpolate: float | None = None
    seed: int | None = None
    #: A label of reports, where a task names its recipes. Not in `plain`: cells with equal recipes
    #: are one, whatever the names.
    recipe_name: str | None = None
    #: A label as well: the preset of axes that `method` names, which made the cell.
    preset: Choice | None = None

    @property
    def tunes_backbone(self) -> bool:
        """Whether anything in the image tower is tuned: its features change with every step."""
        return any(stage.tunes_backbone for stage in self.parts)

    @property
    def parts(self) -> tuple[Stage, ...]:
        """The stages of the training; a single one where the task names none."""
        return self.stages or (Stage(1.0, self.tuning, self.lora),)

    def plain(self) -> dict[str, Any]:
        """The cell as JSON data without labels and the fields that have their default."""
        out: dict[str, Any] = {}
        for name, default in _CELL_DEFAULTS:
            value = getattr(self, name)
            if value != default:
                parts = isinstance(value, _PARTS)
                out[name] = value.plain() if parts else _plain_stages(name, value)
        return out


def parts_of(s: Mapping[str, Any]) -> tuple[Stage, ...]:
    """`Cell.parts` of the settings of a row."""
    return s["stages"] or (Stage(1.0, s["tuning"], s["lora"]),)


def tunes_backbone(s: Mapping[str, Any]) -> bool:
    """`Cell.tunes_backbone` of the settings of a row."""
    return any(stage.tunes_backbone for stage in parts_of(s))


def _in_image_tower(tuning: str, lora: LoraSpec | None) -> bool:
    return tuning in OF_TOWERS and (lora is None or "image" in lora.towers)


def _plain_stages(name: str, value: Any) -> Any:
    return [stage.plain() for stage in value] if name == "stages" else value


#: Parts of a cell that are frozen data themselves.
_PARTS = (Choice, ClassPick, Recipe, HeadSpec, LoraSpec)
#: Labels of reports, which are no part of what a cell is.
LABELS = ("recipe_name", "preset")
_CELL_DEFAULTS = tuple((f.name, f.default) for f in fields(Cell) if f.name not in LABELS)


#: Fields that matter only after training: cells that differ in nothing else train once.
EVALUATION_FIELDS = ("views", "clip_starts", "test_dataset", "test_classes", "interpolate")
#: Fields that are no part of a key, as they change no number.
FIELDS_OUTSIDE_KEYS = ("allow",)


def unlabelled(cell: Cell) -> Cell:
    """The cell without its labels."""
    return replace(cell, recipe_name=None, preset=None) if is_labelled(cell) else cell


def is_labelled(cell: Cell) -> bool:
    """Whether a cell has a label."""
    return any(getattr(cell, name) is not None for name in LABELS)


#: All that a cell is but its seed: equal for the cells of a row of the grid. Cells of one row share
#: their parts, so comparing two of these is fast where hashing cells is not.
but_seed = attrgetter(*(f.name for f in fields(Cell) if f.name != "seed"))


def without_seeds(cells: Iterable[Cell]) -> list[Cell]:
    """The cells without their seed, each once, in their order."""
    firsts = (next(group) for _, group in groupby(cells, key=but_seed))
    return list(dict.fromkeys(replace(cell, seed=None) for cell in firsts))


@dataclass(frozen=True)
class KeyedCell:
    """A cell that can run, with its keys. Cells of one train_key train once."""

    cell: Cell
    key: str
    train_key: str
