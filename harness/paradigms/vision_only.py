"""The standard paradigm (Eq. 1): a linear head that is trained.

logits = z @ W^T + b. Where the encoder is trained too, W and b are drawn at random and z is the
embedding as it is; they train at the learning rate lr_new. With `init` and `classifier: saved` they
begin from a saved head, for the same classes. On frozen features (tuning: head) W starts from any
initialisation, and trains at lr.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.paradigm import CLASSIFIER, HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.paradigms._cross_entropy import classified
from harness.paradigms._tensors import moved

if TYPE_CHECKING:
    import torch

#: What its head is made of: neither a classifier of the registry nor the class texts.
USES: tuple[str, ...] = ()
#: On frozen features W starts from a classifier of the registry.
USES_OF_A_PROBE = ("classifier",)
BIAS = "bias"
STATE = (BIAS,)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Random rows mean nothing before they are trained, and name no other classes afterwards."""
    if CLASSIFIER in facts.restored:
        return None
    if cell.tuning == "none" or cell.regime == "zero_shot":
        return "a random head cannot name classes that it was not trained on"
    return None


def build(inputs: HeadInputs, options: NoOptions) -> LinearHead:
    """W and b are drawn from the generator of the inputs, or start as they or a saved head say.

    Raises CellError for a head on frozen features without a classifier.
    """
    return LinearHead(inputs)


class LinearHead:
    """W and b, uniform within 1/sqrt(D) as torch.nn.Linear draws them, or from a start."""

    whole_batch = False

    def __init__(self, inputs: HeadInputs) -> None:
        self._is_probe = inputs.spec is not None
        w_CD, b_C = _drawn(inputs) if inputs.spec is None else _started(inputs)
        if inputs.saved:
            w_CD, b_C = inputs.saved[CLASSIFIER].clone(), inputs.saved[BIAS].clone()
        has_bias = inputs.spec is None or inputs.spec.bias
        self._w_CD, self._b_C = w_CD.requires_grad_(), b_C.requires_grad_(has_bias)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, the mean over the batch."""
        return self.loss_and_logits(z_BD, y_B)[0]

    def loss_and_logits(
        self, z_BD: torch.Tensor, y_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy, and the logits that it is computed from, without a graph."""
        return classified(self.logits(z_BD), y_B)

    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        """(B, C), of features as they are, not normalised here."""
        return z_BD @ self._w_CD.T + self._b_C

    def pretrained(self) -> list[torch.Tensor]:
        """Learning rate lr: a head on frozen features, which is all that is trained."""
        return self._trained() if self._is_probe else []

    def new(self) -> list[torch.Tensor]:
        """Learning rate lr_new: a head that is drawn at random beside an encoder."""
        return [] if self._is_probe else self._trained()

    def _trained(self) -> list[torch.Tensor]:
        return [t for t in (self._w_CD, self._b_C) if t.requires_grad]

    def weight(self) -> torch.Tensor:
        """w_CD in its current state, without a graph and without b."""
        return self._w_CD.detach()

    def state(self) -> Mapping[str, torch.Tensor]:
        """W and b."""
        return {CLASSIFIER: self.weight(), BIAS: self._b_C.detach()}

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Raises CellError: its rows are no texts."""
        raise CellError("a random head is not made of texts")

    def train_classifier(self, *, trained: bool) -> None:
        """W and b are always trained."""

    def weight_gradient(self) -> torch.Tensor | None:
        """(C, D) after backward."""
        return self._w_CD.grad

    def to(self, device: Any) -> None:
        """Move W and b to a device."""
        self._w_CD, self._b_C = moved(self._w_CD, device), moved(self._b_C, device)

    def with_classifier(self, w_CD: torch.Tensor) -> LinearHead:
        """Raises CellError: its rows belong to the classes that they were trained on."""
        raise CellError("a random head cannot name classes that it was not trained on")


def _drawn(inputs: HeadInputs) -> tuple[torch.Tensor, torch.Tensor]:
    """(w_CD, b_C) at random."""
    import torch

    bound = inputs.dim**-0.5
    w_CD = torch.empty(inputs.n_classes, inputs.dim)
    b_C = torch.empty(inputs.n_classes)
    for tensor in (w_CD, b_C):
        tensor.uniform_(-bound, bound, generator=inputs.generator)
    return w_CD, b_C


def _started(inputs: HeadInputs) -> tuple[torch.Tensor, torch.Tensor]:
    """(w_CD, b_C) of a start; without a bias b_C stays 0."""
    import torch

    if inputs.w_CD is None:
        raise CellError("a linear head on frozen features needs a classifier to start from")
    b_C = torch.zeros(inputs.n_classes) if inputs.b_C is None else inputs.b_C.clone()
    return inputs.w_CD.clone(), b_C
