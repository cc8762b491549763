"""The paper's paradigm (Eq. 3): W is an initialisation of the registry, the encoder adapts to it.

logits = exp(s) * normalised z @ normalised W^T, no bias. W is frozen, trained (appendix A.4), or
released at an epoch. On frozen features (tuning: head) it is trained alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import CellError
from harness.core.protocols.paradigm import LOGIT_SCALE, HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.paradigms._cosine_head import CosineHead
from harness.paradigms._cross_entropy import classified

if TYPE_CHECKING:
    import torch

#: What its head is made of: a classifier of the registry.
USES = ("classifier",)
STATE = (LOGIT_SCALE,)


def build(inputs: HeadInputs, options: NoOptions) -> VisionTextHead:
    """Raises CellError without a classifier, or for one with a row that has no direction."""
    return VisionTextHead(inputs)


class VisionTextHead(CosineHead):
    """Scaled cosine against the rows of W."""

    whole_batch = False

    def __init__(self, inputs: HeadInputs) -> None:
        from torch.nn import functional as F

        if inputs.w_CD is None:
            raise CellError("paradigm vision_text needs a classifier")
        empty = (inputs.w_CD.norm(dim=-1) == 0) | ~inputs.w_CD.isfinite().all(dim=-1)
        if empty.any():
            row = int(empty.nonzero()[0])
            raise CellError(f"the initial classifier has no direction for class number {row}")
        # Rows begin at length 1: the logits are the same, and a step of the optimiser turns the
        # rows of every initialisation alike when they are trained. A head on frozen features comes
        # with rows of the length that its task names, and rows that were saved go on as they were.
        at_unit = inputs.normalise and inputs.spec is None and not inputs.saved
        w_CD = F.normalize(inputs.w_CD, dim=-1) if at_unit else inputs.w_CD.clone()
        self._schedule = "trained" if inputs.spec else inputs.schedule or "frozen"
        super().__init__(
            w_CD.requires_grad_(self._schedule == "trained"),
            inputs.logit_scale,
            train_scale=inputs.train_logit_scale,
            normalise=inputs.normalise,
        )

    def begin_epoch(self, epoch: int) -> None:
        """Schedule 'released:E': W is trained from epoch E on."""
        if self._schedule == f"released:{epoch}":
            # W is among `pretrained` from the start; without a gradient the optimiser skips it.
            self._w_CD.requires_grad_()

    def train_classifier(self, *, trained: bool) -> None:
        """W is trained from now on, or no longer."""
        self._schedule = "trained" if trained else "frozen"
        self._w_CD = self._w_CD.detach().requires_grad_(trained)

    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, the mean over the batch."""
        return self.loss_and_logits(z_BD, y_B)[0]

    def loss_and_logits(
        self, z_BD: torch.Tensor, y_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy, and the logits that it is computed from, without a graph."""
        return classified(self.logits(z_BD), y_B)

    def pretrained(self) -> list[torch.Tensor]:
        """Learning rate lr: W comes from a trained encoder, as the scale does."""
        if self._schedule == "frozen":
            return [self._log_scale]
        return [self._log_scale, self._w_CD]
