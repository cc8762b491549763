"""A proximal term: (strength/2) |T - T0|^2 for the matrices that a training starts from.

On a head it keeps W near its initialisation (the term of CLAP with one strength for all classes);
on a projection it is that of ProLIP (Fahes et al. 2024), twice their lambda being the strength.
A relative strength is divided by |T0|^2, so that it means the same for every encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.cells import Recipe
from harness.core.protocols.solver import TrainableModel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Anchor:
    """A tensor that training moves, and the values that the term holds it to."""

    tensor: torch.Tensor
    start: torch.Tensor
    strength: float

    def add_gradient(self) -> None:
        """After backward. A tensor without a gradient is not trained in this step."""
        import torch

        if self.tensor.grad is None:
            return
        with torch.no_grad():
            # alpha: the term's gradient is strength * (T - T0).
            self.tensor.grad.add_(self.tensor - self.start, alpha=self.strength)


def proximal_terms(model: TrainableModel, recipe: Recipe) -> Sequence[Anchor]:
    """The anchors of a training, before its first step: of W where it is pretrained or given, and
    of the projection. Logit scales, biases, new modules and texts have none.
    """
    strength = recipe.proximal
    if strength is None:
        return ()
    trained = {id(t) for t in model.pretrained()}
    candidates = [*model.encoder(), *model.head.pretrained()]
    matrices = [t for t in candidates if id(t) in trained and t.ndim == 2]
    return [_anchor(t, strength, relative=recipe.proximal_relative) for t in matrices]


def _anchor(tensor: torch.Tensor, strength: float, *, relative: bool) -> Anchor:
    start = tensor.detach().clone()
    squared = start.double().square().sum().item()
    # A start of zeros has no scale of its own: its strength is as it is written.
    return Anchor(tensor, start, strength / squared if relative and squared else strength)
