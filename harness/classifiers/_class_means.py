"""Mean embeddings of classes, which prototype mixtures share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import CellError

if TYPE_CHECKING:
    import torch


def class_sums(
    z_ND: torch.Tensor, y_N: torch.Tensor, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(sum_CD of the normalised embeddings of each class, how many there are, (C,))."""
    import torch
    from torch.nn import functional as F

    sum_CD = torch.zeros(n_classes, z_ND.shape[1], dtype=z_ND.dtype)
    sum_CD.index_add_(0, y_N, F.normalize(z_ND, dim=-1))
    return sum_CD, torch.bincount(y_N, minlength=n_classes)


def class_directions(z_ND: torch.Tensor, y_N: torch.Tensor, n_classes: int) -> torch.Tensor:
    """(C, D) mean of the normalised embeddings of each class, brought to length 1.

    Raises CellError for a class without samples.
    """
    from torch.nn import functional as F

    sum_CD, count_C = class_sums(z_ND, y_N, n_classes)
    if not count_C.all():
        missing = int((count_C == 0).nonzero()[0])
        raise CellError(f"there is no support sample of class number {missing}")
    return F.normalize(sum_CD, dim=-1)
