"""What became of a head that was trained on frozen features: where it ended, and how far it went.

Letters of shapes: N samples, B samples of a block, C classes, D width of what the head reads.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.training.probe import ProbeModel

if TYPE_CHECKING:
    import torch

#: Samples that are read at once.
BLOCK = 16_384


def gradient_norm(model: ProbeModel, y_N: torch.Tensor) -> float:
    """Of the mean loss over all samples, at W and, where they are trained, bias and logit scale."""
    trained = [t for t in model.tensors() if t.requires_grad]
    for tensor in trained:
        tensor.grad = None
    for part_B in _parts(model, y_N):
        z_BD = model.embedding(model.source.features(part_B))
        loss = model.head.loss(z_BD, y_N[part_B]) * (len(part_B) / len(y_N))
        loss.backward()
    squared = sum(float(t.grad.double().square().sum()) for t in trained if t.grad is not None)
    for tensor in trained:
        tensor.grad = None
    return math.sqrt(squared)


def start_diagnostics(model: ProbeModel, y_N: torch.Tensor) -> dict[str, float]:
    """Before training: the gradient norm with which that at the end is compared."""
    return {"gradient_norm_start": gradient_norm(*_over_all_views(model, y_N))}


def head_diagnostics(
    model: ProbeModel, y_N: torch.Tensor, w_init_CD: torch.Tensor | None
) -> dict[str, float]:
    """After training: the norm of the gradient, the distance |W - W0| and the same over |W0|, the
    mean angle in degrees between a row and the mean of its class, and the mean margin of a training
    sample: its class's logit less the largest of the others. Where epochs read different views of
    the samples, it is over all of them.
    """
    import torch

    model, y_N = _over_all_views(model, y_N)
    with torch.no_grad():
        found = {
            "row_to_class_mean_degrees": _angle(model, y_N),
            "training_margin": _margin(model, y_N),
        }
        if w_init_CD is not None:
            w_CD = model.head.weight().double().cpu()
            moved = float((w_CD - w_init_CD.double().cpu()).norm())
            start = float(w_init_CD.double().norm())
            found["distance_from_start"] = moved
            if start:
                found["relative_distance_from_start"] = moved / start
    return {"gradient_norm": gradient_norm(model, y_N), **found}


def _over_all_views(model: ProbeModel, y_N: torch.Tensor) -> tuple[ProbeModel, torch.Tensor]:
    source, views = model.source.all_views()
    return replace(model, source=source), y_N.repeat(views)


def _parts(model: ProbeModel, y_N: torch.Tensor) -> list[torch.Tensor]:
    import torch

    return list(torch.arange(len(y_N)).split(BLOCK))


def _angle(model: ProbeModel, y_N: torch.Tensor) -> float:
    import torch
    from torch.nn import functional as F

    w_CD = model.head.weight().double()
    sum_CD = torch.zeros_like(w_CD)
    for part_B in _parts(model, y_N):
        z_BD = model.embedding(model.source.features(part_B)).double()
        sum_CD.index_add_(0, y_N[part_B], z_BD)
    cosine_C = F.cosine_similarity(w_CD, sum_CD, dim=1).clamp(-1, 1)
    return math.degrees(float(cosine_C.arccos().mean()))


def _margin(model: ProbeModel, y_N: torch.Tensor) -> float:
    """0 for a single class, which has no other."""
    import torch

    total = 0.0
    for part_B in _parts(model, y_N):
        logits_BC = model.head.logits(model.embedding(model.source.features(part_B)))
        rows_B = torch.arange(len(part_B), device=logits_BC.device)
        own_B = logits_BC[rows_B, y_N[part_B]].clone()
        logits_BC[rows_B, y_N[part_B]] = -math.inf
        other_B = logits_BC.max(dim=1).values
        total += float((own_B - other_B)[other_B.isfinite()].sum(dtype=torch.float64))
    return total / len(y_N)
