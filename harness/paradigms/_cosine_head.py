"""What vision_text and matching share: scaled cosines with the rows of a W that is handed in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from harness.core.errors import CellError
from harness.core.protocols.paradigm import CLASSIFIER, LOGIT_SCALE
from harness.paradigms._tensors import moved

if TYPE_CHECKING:
    import torch


class CosineHead:
    """exp(s) times cosines, where s can be trained: the logarithm of the scale, as in CLIP."""

    def __init__(
        self, w_CD: torch.Tensor, logit_scale: float, *, train_scale: bool, normalise: bool = True
    ) -> None:
        import torch

        self._w_CD, self._normalise = w_CD, normalise
        self._log_scale = torch.tensor(math.log(logit_scale)).requires_grad_(train_scale)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def logits(self, z_BD: torch.Tensor) -> torch.Tensor:
        """(B, C), the scaled cosine to every row of W."""
        return self._cosines(z_BD, self._w_CD)

    def pretrained(self) -> list[torch.Tensor]:
        """The scale: it comes with the encoder."""
        return [self._log_scale]

    def new(self) -> list[torch.Tensor]:
        """Nothing: W comes from elsewhere."""
        return []

    def weight(self) -> torch.Tensor:
        """w_CD in its current state, without a graph."""
        return self._w_CD.detach()

    def state(self) -> Mapping[str, torch.Tensor]:
        """W and the logit scale."""
        scale = self._log_scale.detach().double().exp()
        return {CLASSIFIER: self.weight(), LOGIT_SCALE: scale}

    def put_rows(self, classes_U: torch.Tensor, w_UD: torch.Tensor, *, trained: bool) -> None:
        """Rows that change at every step: templates are drawn, or the texts are trained."""
        # A new leaf, so that backward leaves the gradient at W, from where it goes on to the texts.
        w_CD = self._w_CD.detach().clone()
        w_CD[classes_U] = w_UD.to(w_CD)
        self._w_CD = w_CD.requires_grad_(trained)

    def train_classifier(self, *, trained: bool) -> None:
        """Raises CellError, unless the rows are those of a classifier."""
        raise CellError("the rows of this head are texts: they are not trained by themselves")

    def weight_gradient(self) -> torch.Tensor | None:
        return self._w_CD.grad

    def to(self, device: Any) -> None:
        self._w_CD, self._log_scale = moved(self._w_CD, device), moved(self._log_scale, device)

    def with_classifier(self, w_CD: torch.Tensor) -> Self:
        """The trained scale with the rows of other classes."""
        other = copy(self)  # it shares the scale, which was trained
        other._w_CD = w_CD.to(self._w_CD.device, copy=True)
        return other

    def _cosines(self, z_BD: torch.Tensor, w_CD: torch.Tensor) -> torch.Tensor:
        """(B, C); without `normalise` the length of a row counts."""
        from torch.nn import functional as F

        w_CD = F.normalize(w_CD, dim=-1) if self._normalise else w_CD
        return self._log_scale.exp() * F.normalize(z_BD, dim=-1) @ w_CD.T
