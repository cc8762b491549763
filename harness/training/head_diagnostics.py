"""What became of a head that was trained on frozen features: where it ended, and how far it went.

Letters of shapes: N samples, B samples of a block, C classes, D width of what the head reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.training.probe import ProbeModel

if TYPE_CHECKING:
    import torch

#: Samples that are read at once.
BLOCK = 16_384


def gradient_norm(
    model: ProbeModel,
    y_N: torch.Tensor,
    look: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], None] | None = None,
) -> float:
    """Of the mean loss over all samples, at W and, where they are trained, bias and logit scale.

    `look` is shown (z_BD, logits_BC, y_B) of every block, so that nothing is read twice.
    """
    import torch

    trained = [t for t in model.tensors() if t.requires_grad]
    for tensor in trained:
        tensor.grad = None
    for part_B in torch.arange(len(y_N)).split(BLOCK):
        z_BD, y_B = model.embedding(model.source.features(part_B)), y_N[part_B]
        loss, logits_BC = model.head.loss_and_logits(z_BD, y_B)
        (loss * (len(part_B) / len(y_N))).backward()
        if look is not None:
            look(z_BD, logits_BC, y_B)
    squared = sum(float(t.grad.double().square().sum()) for t in trained if t.grad is not None)
    for tensor in trained:
        tensor.grad = None
    return math.sqrt(squared)


def start_diagnostics(model: ProbeModel, y_N: torch.Tensor) -> dict[str, float]:
    """Before training: the gradient norm with which that at the end is compared."""
    return {"gradient_norm_start": gradient_norm(*over_all_views(model, y_N))}


def head_diagnostics(
    model: ProbeModel, y_N: torch.Tensor, w_init_CD: torch.Tensor | None
) -> dict[str, float]:
    """After training: the norm of the gradient, the distance |W - W0| and the same over |W0|, the
    mean angle in degrees between a row and the mean of its class, and the mean margin of a training
    sample: its class's logit less the largest of the others. Where epochs read different views of
    the samples, it is over all of them.
    """
    import torch

    model, y_N = over_all_views(model, y_N)
    seen = _Seen(torch.zeros_like(model.head.weight(), dtype=torch.float64))
    found = {"gradient_norm": gradient_norm(model, y_N, seen.add)}
    w_CD = model.head.weight().double()
    found["row_to_class_mean_degrees"] = _angle(w_CD, seen.sum_CD)
    found["training_margin"] = seen.margin / len(y_N)
    if w_init_CD is not None:
        moved = float((w_CD.cpu() - w_init_CD.double().cpu()).norm())
        start = float(w_init_CD.double().norm())
        found["distance_from_start"] = moved
        if start:
            found["relative_distance_from_start"] = moved / start
    return found


@dataclass
class _Seen:
    """What one pass over the samples leaves: sums of features by class, and of margins."""

    sum_CD: torch.Tensor
    margin: float = 0.0

    def add(self, z_BD: torch.Tensor, logits_BC: torch.Tensor, y_B: torch.Tensor) -> None:
        """A block. The margin of a single class, which has no other, is 0."""
        import torch

        self.sum_CD.index_add_(0, y_B, z_BD.double())
        rows_B = torch.arange(len(y_B), device=logits_BC.device)
        own_B = logits_BC[rows_B, y_B].clone()
        other_B = logits_BC.index_put((rows_B, y_B), logits_BC.new_tensor(-math.inf)).amax(dim=1)
        self.margin += float((own_B - other_B)[other_B.isfinite()].sum(dtype=torch.float64))


def over_all_views(model: ProbeModel, y_N: torch.Tensor) -> tuple[ProbeModel, torch.Tensor]:
    source, views = model.source.all_views()
    return replace(model, source=source), y_N.repeat(views)


def _angle(w_CD: torch.Tensor, sum_CD: torch.Tensor) -> float:
    from torch.nn import functional as F

    cosine_C = F.cosine_similarity(w_CD, sum_CD, dim=1).clamp(-1, 1)
    return math.degrees(float(cosine_C.arccos().mean()))
