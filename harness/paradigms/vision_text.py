"""The paper's paradigm (Eq. 3): W comes from the registry, the encoder moves to meet it.

logits = exp(s) * normalised z @ normalised W^T, no bias. W is frozen, trained (appendix A.4), or
released at an epoch.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from harness.errors import CellError
from harness.paradigms._cosine import log_scale, scaled_cosine, with_rows
from harness.paradigms._tensors import moved
from harness.types import Cell, CellFacts, HeadInputs

if TYPE_CHECKING:
    import torch


#: What its head is made of: a classifier of the registry, the class texts, or neither.
USES = ("classifier",)


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def check(cell: Cell, facts: CellFacts) -> str | None:
    return None


def build(inputs: HeadInputs, options: Options) -> VisionTextHead:
    return VisionTextHead(inputs)


class VisionTextHead:
    """Scaled cosine against the rows of W."""

    whole_batch = False

    def __init__(self, inputs: HeadInputs) -> None:
        from torch.nn import functional as F

        if inputs.w_CD is None:
            raise CellError("paradigm vision_text needs a classifier")
        self._normalise = inputs.normalise
        empty = (inputs.w_CD.norm(dim=-1) == 0) | ~inputs.w_CD.isfinite().all(dim=-1)
        if empty.any():
            row = int(empty.nonzero()[0])
            raise CellError(f"the initial classifier has no direction for class number {row}")
        # Rows begin at length 1: the logits are the same, and a step of the optimiser turns the
        # rows of every initialisation alike when they are trained.
        w_CD = F.normalize(inputs.w_CD, dim=-1) if inputs.normalise else inputs.w_CD.clone()
        self._w_CD = w_CD.requires_grad_(inputs.schedule == "trained")
        self._schedule = inputs.schedule or "frozen"
        self._log_scale = log_scale(inputs.logit_scale, trained=inputs.train_logit_scale)

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Rows that are made anew at every step: drawn templates, a learned context."""
        self._w_CD = with_rows(self._w_CD, classes_U, w_UD, trained=trained)

    def weight_gradient(self) -> torch.Tensor | None:
        return self._w_CD.grad

    def to(self, place: Any) -> None:
        self._w_CD, self._log_scale = moved(self._w_CD, place), moved(self._log_scale, place)

    def with_classifier(self, w_CD: torch.Tensor) -> VisionTextHead:
        """The trained scale with the rows of other classes."""
        other = copy(self)
        other._w_CD = w_CD.to(self._w_CD.device, copy=True)
        return other

    def begin_epoch(self, epoch: int) -> None:
        """Schedule 'released:E': W is trained from epoch E on."""
        if self._schedule == f"released:{epoch}":
            self._w_CD.requires_grad_()

    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, the mean over the batch."""
        from torch.nn import functional as F

        return F.cross_entropy(self.logits(z_BD), y_B)

    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        return scaled_cosine(self._log_scale, z_BD, self._w_CD, normalise=self._normalise)

    def pretrained(self) -> list[torch.Tensor]:
        """Learning rate lr: W comes from a trained encoder, as the scale does."""
        if self._schedule == "frozen":
            return [self._log_scale]
        return [self._log_scale, self._w_CD]

    def new(self) -> list[torch.Tensor]:
        return []

    def weight(self) -> torch.Tensor:
        return self._w_CD.detach()
