"""The logits that vision_text and matching share, and how their rows are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def log_scale(logit_scale: float, *, trained: bool) -> torch.Tensor:
    """The learnable temperature, as CLIP stores it: the logarithm of the scale."""
    import math

    import torch

    return torch.tensor(math.log(logit_scale)).requires_grad_(trained)


def scaled_cosine(
    log_scale: torch.Tensor, z_BD: torch.Tensor, w_CD: torch.Tensor, *, normalise: bool = True
) -> torch.Tensor:
    """(B, C): exp(s) times the cosine of each embedding with each row; without `normalise` the
    length of a row counts.
    """
    from torch.nn import functional as F

    w_CD = F.normalize(w_CD, dim=-1) if normalise else w_CD
    return log_scale.exp() * F.normalize(z_BD, dim=-1) @ w_CD.T


def with_rows(
    w_CD: torch.Tensor, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool
) -> torch.Tensor:
    """A leaf like w_CD with other rows for some classes."""
    out_CD = w_CD.detach().clone()
    out_CD[classes_U] = w_UD.to(out_CD)
    return out_CD.requires_grad_(trained)
