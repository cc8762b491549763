"""Paradigms: how logits and a loss are made of embeddings and of a classifier."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.cells import HeadSpec
from harness.core.errors import CellError
from harness.core.protocols.plugin import OptionsT_contra, Plugin

if TYPE_CHECKING:
    import torch

#: What a paradigm may ask for in USES: a classifier of the registry, the class texts.
HEAD_MATERIALS = ("classifier", "text")
#: Names in the state of a head that mean the same in every paradigm: W, and the factor of the
#: logits (not its logarithm).
CLASSIFIER, LOGIT_SCALE = "classifier", "logit_scale"


@dataclass(frozen=True)
class HeadInputs:
    """What a paradigm makes its head of. `saved` is the state of a saved head where the cell begins
    from its W, which is taken as it is.
    """

    n_classes: int
    dim: int
    generator: torch.Generator
    logit_scale: float
    w_CD: torch.Tensor | None = None
    normalise: bool = True
    schedule: str | None = None
    spec: HeadSpec | None = None  # of a head on frozen features (tuning: head)
    b_C: torch.Tensor | None = None  # with spec: where the bias starts; None: at 0
    train_logit_scale: bool = False
    loss: str | None = None
    saved: Mapping[str, torch.Tensor] = field(default_factory=dict)


class Head(Protocol):
    """From embeddings to logits."""

    #: Whether the loss contrasts the samples of a batch with each other.
    whole_batch: bool

    @abstractmethod
    def begin_epoch(self, epoch: int) -> None:
        """Called before every epoch, counted from 0."""
        ...

    @abstractmethod
    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """The mean loss of a batch."""
        ...

    @abstractmethod
    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        """(B, C)."""
        ...

    def loss_and_logits(
        self, z_BD: torch.Tensor, y_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean loss of a batch, and (B, C) without a graph, for the training accuracy. A head
        whose loss is computed from these logits should compute them once.
        """
        import torch

        loss = self.loss(z_BD, y_B)
        with torch.no_grad():
            return loss, self.logits(z_BD)

    @abstractmethod
    def pretrained(self) -> list[torch.Tensor]:
        """Parameters of the learning rate lr."""
        ...

    @abstractmethod
    def new(self) -> list[torch.Tensor]:
        """Parameters of the learning rate lr_new."""
        ...

    @abstractmethod
    def weight(self) -> torch.Tensor:
        """w_CD as it is now."""
        ...

    def state(self) -> Mapping[str, torch.Tensor]:
        """What of it a file of saved weights holds, by name: W as CLASSIFIER, a logit scale as
        LOGIT_SCALE in float64 (its logarithm comes back exactly), and what STATE of the paradigm
        names.
        """
        return {CLASSIFIER: self.weight()}

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Replace rows of W; with `trained`, the next backward leaves a gradient at W.

        CellError for a head whose rows are its own.
        """
        raise CellError("the rows of this head are its own: they cannot be replaced by texts")

    def train_classifier(self, *, trained: bool) -> None:
        """From now on W is trained, or stays as it is; a head whose rows are always trained leaves
        it so. CellError for one whose rows are texts.
        """
        raise CellError("the rows of this head are texts: they are not trained by themselves")

    def weight_gradient(self) -> torch.Tensor | None:
        """(C, D) after backward, if the rows were put in as trained."""
        return None

    def to(self, device: Any) -> None:
        """Move to a device, before any optimiser has seen its tensors."""
        if device.type != "cpu":
            raise CellError(f"the head has no method 'to' that would move it to {device.type}")

    def with_classifier(self, w_CD: torch.Tensor) -> Head:
        """The same head for other classes (zero-shot). CellError if it cannot be."""
        raise CellError("this head cannot name classes that it was not trained on")


class Paradigm(Plugin, Protocol[OptionsT_contra]):
    """A way from embeddings to logits."""

    #: What its head has beside W, by the names in `Head.state`.
    STATE: Sequence[str] = ()

    @property
    @abstractmethod
    def USES(self) -> Sequence[str]:  # noqa: N802 - a constant of the plugin
        """What its head is made of, of HEAD_MATERIALS; empty for a head with rows of its own."""
        ...

    #: What a head with rows of its own is made of where it is trained on frozen features.
    USES_OF_A_PROBE: Sequence[str] = ()

    @abstractmethod
    def build(self, inputs: HeadInputs, options: OptionsT_contra) -> Head:
        """The head before training."""
        ...


def head_materials(paradigm: Paradigm[Any], tuning: str) -> Sequence[str]:
    """What a paradigm makes its head of, given the tuned part."""
    if tuning == "head" and not paradigm.USES:
        return paradigm.USES_OF_A_PROBE
    return paradigm.USES
