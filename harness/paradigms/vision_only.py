"""The standard paradigm (Eq. 1): a linear head of its own, drawn at random and trained.

logits = z @ W^T + b on the unnormalised embedding, at the learning rate lr_new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.paradigm import HeadInputs
from harness.paradigms._tensors import moved

if TYPE_CHECKING:
    import torch


#: What its head is made of: a classifier of the registry, the class texts, or neither.
USES: tuple[str, ...] = ()


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def check(cell: Cell, facts: CellFacts) -> str | None:
    if cell.tuning == "none" or cell.regime == "zero_shot":
        return "a random head cannot name classes that it was not trained on"
    return None


def build(inputs: HeadInputs, options: Options) -> LinearHead:
    return LinearHead(inputs)


class LinearHead:
    """W and b, uniform within 1/sqrt(D) as torch.nn.Linear draws them."""

    whole_batch = False

    def __init__(self, inputs: HeadInputs) -> None:
        import torch

        bound = inputs.dim**-0.5
        w_CD = torch.empty(inputs.n_classes, inputs.dim)
        b_C = torch.empty(inputs.n_classes)
        for tensor in (w_CD, b_C):
            tensor.uniform_(-bound, bound, generator=inputs.generator)
        self._w_CD, self._b_C = w_CD.requires_grad_(), b_C.requires_grad_()

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Its rows are its own."""
        raise CellError("a random head is not made of texts")

    def weight_gradient(self) -> torch.Tensor | None:
        return self._w_CD.grad

    def to(self, place: Any) -> None:
        self._w_CD, self._b_C = moved(self._w_CD, place), moved(self._b_C, place)

    def with_classifier(self, w_CD: torch.Tensor) -> LinearHead:
        """Its rows are its own: it cannot name other classes."""
        raise CellError("a random head cannot name classes that it was not trained on")

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, the mean over the batch."""
        from torch.nn import functional as F

        return F.cross_entropy(self.logits(z_BD), y_B)

    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        return z_BD @ self._w_CD.T + self._b_C

    def pretrained(self) -> list[torch.Tensor]:
        return []

    def new(self) -> list[torch.Tensor]:
        """Learning rate lr_new."""
        return [self._w_CD, self._b_C]

    def weight(self) -> torch.Tensor:
        return self._w_CD.detach()
