"""Video-text matching (after ActionCLIP; the paper's Table 6): a batch contrasted with its texts.

With the text tower offline its embeddings are computed once and stay; online, the texts of a batch
are embedded at every step by a tower that is trained. Loss `kl`: symmetric
KL(softmax(10 mask) || softmax(logits)) over the batch, where mask is 1 for equal labels; `infonce`:
the paper's Algorithm 1, whose target is each sample's own text alone, though another sample of
the batch may have the same one. Evaluation is the similarity to every class's text. With `gather`
the whole batch is contrasted, whatever number of processes and micro-batches it is computed in;
without it each micro-batch is, as by processes that do not gather.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.paradigm import LOGIT_SCALE, Head, HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.paradigms._cosine_head import CosineHead

if TYPE_CHECKING:
    import torch

#: What its head is made of: the class texts.
USES = ("text",)
STATE = (LOGIT_SCALE,)
#: ActionCLIP's factor: the target keeps a little mass on other classes.
TARGET_SCALE = 10.0


def check(cell: Cell, facts: CellFacts) -> str | None:
    """It trains the encoder: on frozen features its loss has nothing to change."""
    if cell.tuning == "head":
        return "matching trains the encoder, and tuning: head freezes it"
    return None


def build(inputs: HeadInputs, options: NoOptions) -> MatchingHead:
    """Raises CellError without class texts."""
    return MatchingHead(inputs)


class MatchingHead(CosineHead):
    """Scaled cosines between the embeddings of a batch and the texts of its labels."""

    whole_batch = True

    def __init__(self, inputs: HeadInputs) -> None:
        if inputs.w_CD is None:
            raise CellError("paradigm matching needs class texts")
        self._loss = info_nce if inputs.loss == "infonce" else symmetric_kl
        trained = inputs.train_logit_scale
        super().__init__(inputs.w_CD.clone(), inputs.logit_scale, train_scale=trained)

    def loss(self, z_BD: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
        """The contrastive loss of a whole batch, both directions averaged."""
        logits_BB = self._cosines(z_BD, self._w_CD[y_B])  # column b: the text of sample b
        return self._loss(logits_BB, y_B)

    def loss_and_logits(
        self, z_BD: torch.Tensor, y_B: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and the logits of all classes, which it is not computed from."""
        return Head.loss_and_logits(self, z_BD, y_B)


def symmetric_kl(logits_BB: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    """KL of the scaled mask to the logits, summed over B x B, divided by B, directions averaged."""
    from torch.nn import functional as F

    mask_BB = (y_B[:, None] == y_B[None]).to(logits_BB.dtype)
    target_BB = (TARGET_SCALE * mask_BB).softmax(dim=1)  # symmetric, as the mask is
    to_text, to_image = (
        F.kl_div(d_BB.log_softmax(dim=1), target_BB, reduction="batchmean")
        for d_BB in (logits_BB, logits_BB.T)
    )
    return (to_text + to_image) / 2


def info_nce(logits_BB: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the diagonal, directions averaged (Algorithm 1)."""
    import torch
    from torch.nn import functional as F

    # y_B is not looked at: in Algorithm 1 another sample of the same class is a negative too.
    diagonal_B = torch.arange(len(y_B), device=logits_BB.device)
    return (F.cross_entropy(logits_BB, diagonal_B) + F.cross_entropy(logits_BB.T, diagonal_B)) / 2
