"""Solvers: what minimises the loss of a cell, one cell at a time or several together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.cells import Cell, Recipe
from harness.core.protocols.paradigm import Head
from harness.core.protocols.plugin import Plugin

if TYPE_CHECKING:
    import torch


class FeatureSource(Protocol):
    """Backbone features of training samples, by position."""

    @property
    def frames(self) -> int | None:
        """T; None where a sample is one picture."""
        ...

    def __len__(self) -> int: ...
    def begin_epoch(self, epoch: int) -> None: ...
    def ahead(self, parts: Iterable[tuple[int, torch.Tensor]]) -> Generator[Any, None, None]:
        """What `features` takes for every (epoch, micro-batch of numbers), in order; it may be read
        before it is asked for. Closing the generator ends the reading.

        Numbers of N and above are samples that an epoch reads again: n + N is sample n.
        """
        ...

    def features(self, inputs: Any) -> torch.Tensor:
        """h_BF, or h_BTF with frames; with a graph where the backbone is trained."""
        ...

    def end_step(self) -> None:
        """After every update."""
        ...

    def statistics(self) -> list[torch.Tensor]:
        """What training changes without a gradient: running statistics of batch norms."""
        ...

    def pretrained(self) -> list[torch.Tensor]:
        """What of it is trained at the learning rate lr."""
        ...

    def new(self) -> list[torch.Tensor]:
        """What of it is trained at the learning rate lr_new."""
        ...


class ChangingTexts(Protocol):
    """Rows of W that are made anew from texts at every step."""

    def begin_epoch(self, stream: torch.Generator) -> None: ...
    def begin_step(self) -> None: ...
    def rows(self, classes_U: torch.Tensor) -> torch.Tensor:
        """w_UD of the classes trained on, by number; with a graph where it is trained."""
        ...

    def embed(self, names: Sequence[str]) -> torch.Tensor | None:
        """(C, D) after training, without a graph; None where evaluation has texts of its own."""
        ...

    def pretrained(self) -> list[torch.Tensor]:
        """Parameters of the learning rate lr."""
        ...

    def new(self) -> list[torch.Tensor]:
        """Parameters of the learning rate lr_new."""
        ...

    def tower(self) -> Mapping[str, torch.Tensor]:
        """The tensors of a text tower that is trained; empty where it stays as it is."""
        ...

    def context(self) -> torch.Tensor | None:
        """The learned context (M, E), or (C, M, E); None where there is none."""
        ...


class TrainableModel(Protocol):
    """What a solver trains, in place: everything between a sample and its logits."""

    @property
    def source(self) -> FeatureSource:
        """Where backbone features come from."""
        ...

    @property
    def head(self) -> Head:
        """From embeddings to logits and a loss."""
        ...

    @property
    def texts(self) -> ChangingTexts | None:
        """What makes rows of W anew at every step; None where they stay or are trained."""
        ...

    @property
    def gather(self) -> bool:
        """Contrast a whole batch; else each micro-batch by itself."""
        ...

    @property
    def device(self) -> torch.device: ...
    @property
    def feature_dim(self) -> int:
        """F."""
        ...

    def embedding(self, h: torch.Tensor) -> torch.Tensor:
        """z_BD of h_BF, or of h_BTF."""
        ...

    def pretrained(self) -> list[torch.Tensor]:
        """The group of learning rate lr."""
        ...

    def new(self) -> list[torch.Tensor]:
        """The group of learning rate lr_new."""
        ...

    def encoder(self) -> list[torch.Tensor]:
        """The tensors from pictures to embeddings, before the head."""
        ...

    def tensors(self) -> list[torch.Tensor]:
        """All that training may change, in a fixed order; parameters, then statistics."""
        ...

    def read_texts(self, y_B: torch.Tensor) -> None:
        """Put the rows of W of this step into the head."""
        ...

    def teach_texts(self) -> None:
        """Send the loss's gradient at W on to what its rows are made of."""
        ...


class TrainingCheckpoint(Protocol):
    """Where a long training is kept from time to time, so that a killed one goes on from there.

    Every process of a training calls `load` and `save` at the same step.
    """

    def due(self) -> bool:
        """Whether it is time to save again, in the one process that decides it; False in others."""
        ...

    def load(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer
    ) -> dict[str, Any] | None:
        """Put the saved state into model and optimiser; the progress that was saved with it, the
        same in all processes, or None if there is no state that can be used.

        Raises HarnessError in all processes if that cannot be known.
        """
        ...

    def save(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer, progress: dict[str, Any]
    ) -> None:
        """Keep a state, the same in all processes, and where it is in the training: plain values
        and tensors.

        Raises DiskFull or OutputError.
        """
        ...


@dataclass(frozen=True)
class Watch:
    """Who follows a training from outside."""

    interrupted: Callable[[], bool] = lambda: False
    epoch: Callable[[Mapping[str, Any]], object] = lambda _: None  # a point of the curve, with lr

    def of_training(self, number: int) -> Watch:
        """For one of several trainings of a cell, which its points name."""
        return Watch(self.interrupted, lambda point: self.epoch({**point, "training": number}))


@dataclass(frozen=True)
class Problem:
    """One training: a model before its first step, its labels and its recipe."""

    cell: Cell
    model: TrainableModel
    labels_N: torch.Tensor
    recipe: Recipe
    seed: int | None
    watch: Watch = field(default_factory=Watch)
    checkpoint: TrainingCheckpoint | None = None
    repeats: int = 1  # how often an epoch reads every sample
    keep_end: bool = False  # keep a checkpoint of its end, as another stage comes after it


@dataclass
class Solution:
    """What a training left to report; the model of its problem is trained."""

    curve: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()  # see Record.warnings


class Solver(Plugin, Protocol):
    """A way to train. The numbers of a cell never depend on what is solved beside it."""

    #: How many problems one call takes at most: their models are in memory together.
    TOGETHER: int = 1
    #: Whether it solves the convex problem of a linear head on frozen features to its one optimum,
    #: so that the initialisation, the order of samples and the seed of the training play no part.
    CONVEX: bool = False
    #: The keys of the recipe that it reads; empty: those of training by steps, all but l2.
    READS: Sequence[str] = ()

    @abstractmethod
    def accepts(self, cells: Sequence[Cell]) -> bool:
        """Whether these cells can be solved in one call; asked for one cell as well."""
        ...

    @abstractmethod
    def solve(self, problems: Sequence[Problem]) -> Sequence[Solution]:
        """Train every model in place; solutions in the order of the problems.

        Raises CellError if a cell cannot be trained (its loss is not finite), and
        KeyboardInterrupt if a watch asks to stop.
        """
        ...
