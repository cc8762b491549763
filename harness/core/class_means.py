"""Sums and means of the embeddings of classes, which classifiers and methods share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import CellError

if TYPE_CHECKING:
    import torch

#: In SS-Text the weight of a class's penalty is not smaller than this.
LEAST_PENALTY = 1e-3


def class_sums(
    z_ND: torch.Tensor, y_N: torch.Tensor, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(sum_CD of the normalised embeddings of each class, how many there are, (C,))."""
    import torch
    from torch.nn import functional as F

    sum_CD = torch.zeros(n_classes, z_ND.shape[1], dtype=z_ND.dtype)
    sum_CD.index_add_(0, y_N, F.normalize(z_ND, dim=-1))
    return sum_CD, torch.bincount(y_N, minlength=n_classes)


def refuse_empty_classes(count_C: torch.Tensor) -> None:
    """Raises CellError for a class without samples."""
    if not count_C.all():
        missing = int((count_C == 0).nonzero()[0])
        raise CellError(f"there is no support sample of class number {missing}")


def class_directions(z_ND: torch.Tensor, y_N: torch.Tensor, n_classes: int) -> torch.Tensor:
    """(C, D) mean of the normalised embeddings of each class, brought to length 1.

    Raises CellError for a class without samples.
    """
    from torch.nn import functional as F

    sum_CD, count_C = class_sums(z_ND, y_N, n_classes)
    refuse_empty_classes(count_C)
    return F.normalize(sum_CD, dim=-1)


def text_plus_support(
    text_CD: torch.Tensor, z_ND: torch.Tensor, y_N: torch.Tensor, logit_scale: float
) -> torch.Tensor:
    """(C, D) rows of SS-Text: w_c = t_c + (1 / (N lambda_c)) s sum over class c of f_i.

    t_c: row c of `text_CD` as it is; f_i: normalised embeddings; s: logit scale; lambda_c = 1 / n_c
    for a class of n_c samples, but LEAST_PENALTY at least. A class without samples has its text.
    """
    sum_CD, count_C = class_sums(z_ND, y_N, len(text_CD))
    penalty_C = (1 / count_C.to(z_ND.dtype)).clamp(
        min=LEAST_PENALTY
    )  # infinite for a class without samples
    weight_C = logit_scale / (len(y_N) * penalty_C)
    return text_CD + weight_C[:, None] * sum_CD
