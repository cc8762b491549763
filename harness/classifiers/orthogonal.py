"""The first C rows of Q of a D x D Gaussian (Eq. 5): no correlation between classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._dimensions import needs_room, width_of
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """D dimensions have no more than D orthogonal rows."""
    return needs_room(facts, "an orthogonal classifier", width_of(cell, facts))


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD with orthonormal rows; needs C <= D."""
    import torch

    u_DD = torch.randn(inputs.dim, inputs.dim, generator=inputs.generator)
    q_DD: torch.Tensor = torch.linalg.qr(u_DD).Q
    return q_DD[: inputs.n_classes]
