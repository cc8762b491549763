"""What vision_text and matching share: scaled cosines with rows of W that come from outside."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from harness.paradigms._tensors import moved

if TYPE_CHECKING:
    import torch


class CosineHead:
    """exp(s) times cosines; s is learnable, as CLIP stores it: the logarithm of the scale."""

    def __init__(
        self, w_CD: torch.Tensor, logit_scale: float, *, train_scale: bool, normalise: bool = True
    ) -> None:
        import torch

        self._w_CD, self._normalise = w_CD, normalise
        self._log_scale = torch.tensor(math.log(logit_scale)).requires_grad_(train_scale)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        return self._cosines(z_BD, self._w_CD)

    def pretrained(self) -> list[torch.Tensor]:
        return [self._log_scale]

    def new(self) -> list[torch.Tensor]:
        return []

    def weight(self) -> torch.Tensor:
        return self._w_CD.detach()

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Rows that are made anew at every step: drawn, or by texts that are trained."""
        w_CD = self._w_CD.detach().clone()
        w_CD[classes_U] = w_UD.to(w_CD)
        self._w_CD = w_CD.requires_grad_(trained)

    def weight_gradient(self) -> torch.Tensor | None:
        return self._w_CD.grad

    def to(self, place: Any) -> None:
        self._w_CD, self._log_scale = moved(self._w_CD, place), moved(self._log_scale, place)

    def with_classifier(self, w_CD: torch.Tensor) -> Self:
        """The trained scale with the rows of other classes."""
        other = copy(self)
        other._w_CD = w_CD.to(self._w_CD.device, copy=True)
        return other

    def _cosines(self, z_BD: torch.Tensor, w_CD: torch.Tensor) -> torch.Tensor:
        """(B, C); without `normalise` the length of a row counts."""
        from torch.nn import functional as F

        w_CD = F.normalize(w_CD, dim=-1) if self._normalise else w_CD
        return self._log_scale.exp() * F.normalize(z_BD, dim=-1) @ w_CD.T
