"""A proximal term: (strength/2) |T - T0|^2 for the matrices that a training starts from.

On a head it keeps W near its initialisation. With a strength for every class and a mean over the C
classes, (strength/2C) sum_c lambda_c |w_c - w_c^0|^2, it is the term of CLAP (Silva-Rodriguez et
al. 2024), whose strength is 2: lambda_c is the mean probability of class c under the start over
its own samples. On a projection it is that of ProLIP (Fahes et al. 2024), twice their lambda being
the strength, and lambda 1/K or 1/K^2 for K shots. A relative strength is divided by |T0|^2 (not by
C), so that it means the same for every encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.core.errors import CellError
from harness.core.protocols.solver import Problem, TrainableModel
from harness.training.head_diagnostics import over_all_views
from harness.training.probe import ProbeModel

if TYPE_CHECKING:
    import torch

#: Samples that are read at once.
BLOCK = 16_384


@dataclass(frozen=True)
class Anchor:
    """A tensor that training moves, and the values that the term holds it to."""

    tensor: torch.Tensor
    start: torch.Tensor
    strength: float
    rows_C1: torch.Tensor | None = None  # a factor of every row

    def add_gradient(self) -> None:
        """After backward. A tensor without a gradient is not trained in this step."""
        import torch

        if self.tensor.grad is None:
            return
        with torch.no_grad():
            # alpha: the term's gradient is strength * (T - T0).
            moved = self.tensor - self.start
            if self.rows_C1 is not None:
                moved *= self.rows_C1
            self.tensor.grad.add_(moved, alpha=self.strength)


def proximal_terms(model: TrainableModel, problem: Problem) -> Sequence[Anchor]:
    """The anchors of a training, before its first step: of W where it is pretrained or given, and
    of the projection. Logit scales, biases, new modules and texts have none.
    """
    recipe, shots = problem.recipe, problem.cell.shots
    if recipe.proximal is None:
        return ()
    strength = recipe.proximal / (shots or 1) ** recipe.proximal_per_shot
    trained = {id(t) for t in model.pretrained()}
    candidates = [*model.encoder(), *model.head.pretrained()]
    matrices = [t for t in candidates if id(t) in trained and t.ndim == 2]
    anchors = [_anchor(t, strength, relative=recipe.proximal_relative) for t in matrices]
    if recipe.proximal_weights is None:
        return anchors
    if not isinstance(model, ProbeModel):
        raise CellError("recipe.proximal: weights: are of the rows of a head on frozen features")
    rows_C1 = _own_probabilities(*over_all_views(model, problem.labels_N))[:, None]
    if not recipe.proximal_relative:
        rows_C1 = rows_C1 / len(rows_C1)
    return [replace(anchor, rows_C1=rows_C1) for anchor in anchors]


def _own_probabilities(model: ProbeModel, y_N: torch.Tensor) -> torch.Tensor:
    """lambda_C: the mean probability that the head, as it is, gives the samples of a class for that
    class; 0 for a class without samples.
    """
    import torch

    n_classes = len(model.head.weight())
    sums_C = torch.zeros(n_classes, dtype=torch.float64, device=y_N.device)
    with torch.no_grad():
        for part_B in torch.arange(len(y_N)).split(BLOCK):
            y_B = y_N[part_B]
            z_BD = model.embedding(model.source.features(part_B))
            p_BC = model.head.logits(z_BD).softmax(dim=1)
            sums_C += torch.zeros_like(sums_C).index_add_(
                0, y_B, p_BC[torch.arange(len(y_B)), y_B].double()
            )
    return (sums_C / y_N.bincount(minlength=n_classes).clamp_min(1)).float()


def _anchor(tensor: torch.Tensor, strength: float, *, relative: bool) -> Anchor:
    start = tensor.detach().clone()
    squared = start.double().square().sum().item()
    # A start of zeros has no scale of its own: its strength is as it is written.
    return Anchor(tensor, start, strength / squared if relative and squared else strength)
