"""The text embeddings, reduced to the few directions in which they differ most.

With T the normalised texts, m their mean and V (D, r) their first r principal directions, W = m +
(T - m) V V^T: the nearest rows to the texts that differ in r directions only. How the accuracy
grows with r says how much of a text embedding a classifier needs. At r = C - 1 W is the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text",)


class Options(ClassifierOptions):
    """rank: r, the number of principal directions."""

    rank: int = Field(ge=1)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """C texts differ in C - 1 directions at most."""
    rank = dict(cell.classifier.options).get("rank") if cell.classifier else None
    most = min(facts.n_classes - 1, facts.encoder.dim)
    if isinstance(rank, int) and rank > most:
        return f"{facts.n_classes} texts differ in {most} directions: rank {rank} is more"
    return None


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD of which the differences between rows have the rank r."""
    import torch
    from torch.nn import functional as F

    t_CD = F.normalize(inputs.text().double(), dim=-1)
    mean_D = t_CD.mean(dim=0)
    v_RD = torch.linalg.svd(t_CD - mean_D, full_matrices=False).Vh[: options.rank]
    w_CD: torch.Tensor = mean_D + (t_CD - mean_D) @ v_RD.T @ v_RD
    return w_CD.float()
