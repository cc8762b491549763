"""The nouns of the harness: plain frozen data and the protocols that plugins fill.

Shape legend, used in every file:
    B batch, N items, S seeds, G groups, C classes, K shots, V views, T frames,
    F width of backbone features, D width of the joint embedding, H W height and width,
    M learnable context vectors, E width of a text tower's token embeddings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from PIL import Image

    IntArray = npt.NDArray[np.int64]
    FloatArray = npt.NDArray[np.float64]
    BoolArray = npt.NDArray[np.bool_]

#: Raised when a default changes its meaning, so that no older Record is taken for a newer one.
SCHEMA = 1


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
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }


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

    def plain(self) -> dict[str, Any]:
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }


@dataclass(frozen=True, slots=True)
class Cell:
    """One fully resolved combination: a row of the grid at one seed.

    A field that has no meaning for the cell is None. `plain` leaves out what has its default,
    so a field that is added later changes no key.
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
    paradigm: Choice = Choice("vision_text")
    gather: bool | None = None
    text_tower: str | None = None
    loss: str | None = None
    method: Choice | None = None
    tuning: str = "projection"
    recipe: Recipe | None = None
    selection: str = "last"
    search: tuple[tuple[str, tuple[Any, ...]], ...] | None = None  # recipe key, values to try
    val: int | None = None  # samples of every class that are kept for validation
    init: str | None = None
    seed: int | None = None

    def plain(self) -> dict[str, Any]:
        """The cell as JSON data without the fields that have their default."""
        out: dict[str, Any] = {}
        for name, default in _CELL_DEFAULTS:
            value = getattr(self, name)
            if value != default:
                out[name] = value.plain() if hasattr(value, "plain") else value
        return out


_CELL_DEFAULTS = tuple((f.name, f.default) for f in fields(Cell))

#: What is looked at only after training: cells that differ in nothing else train once.
EVALUATION_FIELDS = ("views", "test_dataset")


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(data: Any, length: int = 16) -> str:
    """The first `length` hex digits of sha256 over the canonical JSON of `data`."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:length]


@dataclass(frozen=True)
class SupportSet:
    """What a cell trains on. Drawn once, saved, read by every process; nested in K."""

    items: tuple[str, ...]
    labels: tuple[int, ...]
    seed: int | None

    @property
    def sha256(self) -> str:
        return digest([self.items, self.labels], 64)


@dataclass(frozen=True)
class TestSet:
    """What a cell is measured on: every item counts once; groups are what is sampled together."""

    __test__ = False  # pytest takes classes of this name for tests

    items: tuple[str, ...]
    labels: IntArray  # (N,), index into class_names
    groups: IntArray  # (N,)
    class_names: tuple[str, ...]

    @property
    def sha256(self) -> str:
        return digest(
            [self.items, self.labels.tolist(), self.groups.tolist(), self.class_names], 64
        )


@dataclass(frozen=True)
class Record:
    """All that is known about one cell. The only truth about it, once on disk."""

    key: str
    cell: Mapping[str, Any]
    status: str  # done | failed
    error: Mapping[str, str] | None = None
    top1: float | None = None
    top5: float | None = None
    mean_class: float | None = None
    nll: float | None = None
    ece: float | None = None
    n: int | None = None
    test: str | None = None
    support: str | None = None
    train_key: str | None = None
    curve: Sequence[Mapping[str, Any]] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    arrays: str | None = None  # file name of the npz beside the json
    science_hash: str | None = None
    schema: int = SCHEMA


@dataclass(frozen=True)
class Outcomes:
    """What the statistics see of a row of the leaderboard: correctness by seed and item.

    Deterministic rows have one seed, None. `groups_N` says which items were sampled together.
    """

    correct_SN: BoolArray
    seeds: tuple[int | None, ...]
    groups_N: IntArray


@dataclass(frozen=True)
class Estimate:
    """One row's accuracy with its interval, as fractions."""

    mean: float
    low: float | None
    high: float | None
    seeds: int
    items: int
    groups: int
    method: str


@dataclass(frozen=True)
class Contrast:
    """Row a minus row b on the same seeds and items. Differences are fractions."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    seeds: int
    items: int
    groups: int
    estimand: str
    test: str
    smallest_detectable: float | None = None
    share_seeds: float | None = None  # part of the variance that more seeds would take away
    note: str = ""
    se: float | None = None  # standard error of the difference
    df: float | None = None  # of its t test; infinite for a normal one


# --- protocols that plugins fill -------------------------------------------------------------


@dataclass(frozen=True)
class Items:
    """A split of a dataset: ids are stable, relative and unique."""

    ids: tuple[str, ...]
    labels: IntArray  # (N,), index into Dataset.classes
    groups: IntArray  # (N,)


class Dataset(Protocol):
    """A source of labelled pictures or clips. Opening one reads names and sizes, no pixels."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def train(self) -> Items: ...
    @property
    def test(self) -> Items: ...
    @property
    def manifest(self) -> str:
        """Hash over split, relative path, size, label and group of every item."""
        ...

    def part(self, name: str) -> Sequence[int]:
        """Indices of the classes of a named part ('all', 'unseen', ...)."""
        ...

    def image(self, item: str) -> Image.Image:
        """The picture as RGB. DataError if it cannot be read."""
        ...

    def fingerprint(self, item: str) -> str:
        """Hash of all that `image(item)` is made of: equal ones share their features.

        DataError if it cannot be read.
        """
        ...


class Clips(Dataset, Protocol):
    """A Dataset whose items are videos. `image` gives the middle frame."""

    @property
    def position(self) -> str:
        """Which frame of a segment evaluation looks at: centre | first."""
        ...

    def length(self, item: str) -> int:
        """Frames that can be decoded. DataError if there is none."""
        ...

    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Frames by index (0 <= index < length), in the order of `indices`, as RGB.

        DataError if one cannot be decoded: never another frame in its place.
        """
        ...


@dataclass(frozen=True)
class EncoderFacts:
    """What can be known of an encoder without loading it."""

    weights: str  # content hash of all that it computes with
    backbone: str  # content hash of what the backbone features depend on
    dim: int  # D
    feature_dim: int  # F
    resolution: int
    logit_scale: float
    text_dim: int | None = None  # None: no text tower
    fixed_resolution: bool = False  # pictures of another size cannot be read
    tower: str = "other"  # vit | resnet | other: what temporal modules can be put into


class ImageEncoder(Protocol):
    """Pictures to backbone features h_BF and a linear projection to z_BD."""

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, H, W)."""
        ...

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Backbone features h_BF, before the projection."""
        ...

    def projection(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Weight (D, F) and bias (D,) or None."""
        ...


class TextEncoder(Protocol):
    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D) embeddings, not normalised, without a graph; one text at a time."""
        ...


class TunableText(TextEncoder, Protocol):
    """A text tower that can be trained, or trained through. deepcopy gives an own copy."""

    @property
    def module(self) -> torch.nn.Module:
        """All its parameters."""
        ...

    @property
    def context_dim(self) -> int:
        """E, the width of its token embeddings."""
        ...

    def token_vectors(self, text: str) -> torch.Tensor:
        """(K, E), the embeddings of a text's K tokens, without start and end."""
        ...

    def encode(self, texts: Sequence[str], context_ME: torch.Tensor | None = None) -> torch.Tensor:
        """(N, D) with a graph, all texts in one batch, on the device of `module`.

        With a context, M vectors stand between the start token and the tokens of each text
        (Eq. 7; CoOp). A text that becomes too long is cut at its end, the end token kept.
        """
        ...


@dataclass(frozen=True)
class TemporalInputs:
    """What a module over time is made of."""

    dim: int  # D
    frames: int  # T
    generator: torch.Generator  # on the CPU; every initial value is drawn from it


@dataclass(frozen=True)
class CellFacts:
    """What `check` of a plugin may look at, known before anything is loaded."""

    n_classes: int
    per_class: int | None  # training samples of the smallest class, None where nothing is trained
    encoder: EncoderFacts


@dataclass(frozen=True)
class ClassifierInputs:
    """What an initialisation may look at; asking for what it did not declare in USES raises."""

    n_classes: int
    dim: int
    generator: torch.Generator
    text_CD: torch.Tensor | None = None
    support_ND: torch.Tensor | None = None
    labels_N: torch.Tensor | None = None

    def text(self) -> torch.Tensor:
        """(C, D) text embeddings, not normalised."""
        if self.text_CD is None:
            raise LookupError("USES of this classifier does not name 'text'")
        return self.text_CD

    def support(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, D) embeddings of the support set before training, and labels (N,)."""
        if self.support_ND is None or self.labels_N is None:
            raise LookupError("USES of this classifier does not name 'support'")
        return self.support_ND, self.labels_N


@dataclass(frozen=True)
class AlignmentInputs:
    """What a map from the text's width E to the pictures' width D may look at."""

    text_dim: int
    dim: int
    generator: torch.Generator
    text_CE: torch.Tensor | None = None  # of the training classes
    support_ND: torch.Tensor | None = None
    labels_N: torch.Tensor | None = None

    def fitted_on(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(C, E) texts, (N, D) embeddings of the support set before training, labels (N,)."""
        if self.text_CE is None or self.support_ND is None or self.labels_N is None:
            raise LookupError("USES of this alignment does not name 'text' and 'support'")
        return self.text_CE, self.support_ND, self.labels_N


@dataclass(frozen=True)
class HeadInputs:
    """What a paradigm makes its head of."""

    n_classes: int
    dim: int
    generator: torch.Generator
    logit_scale: float
    w_CD: torch.Tensor | None = None
    normalise: bool = True
    schedule: str | None = None
    train_logit_scale: bool = False
    loss: str | None = None


class Head(Protocol):
    """From embeddings to logits."""

    #: Whether the loss contrasts the samples of a batch with each other.
    whole_batch: bool

    def begin_epoch(self, epoch: int) -> None: ...
    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """The mean loss of a batch."""
        ...

    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        """(B, C)."""
        ...

    def pretrained(self) -> list[torch.Tensor]:
        """Parameters of the learning rate lr."""
        ...

    def new(self) -> list[torch.Tensor]:
        """Parameters of the learning rate lr_new."""
        ...

    def weight(self) -> torch.Tensor:
        """w_CD as it stands."""
        ...

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Replace rows of W; with `trained`, the next backward leaves a gradient at W.

        CellError for a head whose rows are its own.
        """
        ...

    def weight_gradient(self) -> torch.Tensor | None:
        """(C, D) after backward, if the rows were put in as trained."""
        ...

    def to(self, place: Any) -> None:
        """Move to a device, before any optimiser has seen its tensors."""
        ...

    def with_classifier(self, w_CD: torch.Tensor) -> Head:
        """The same head for other classes (zero-shot). CellError if it cannot be."""
        ...
