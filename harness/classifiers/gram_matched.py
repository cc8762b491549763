"""Control: the random classifier, moved as little as it takes to have the text's correlations.

It starts from the very draw of `random` at the same seed, so the two differ in nothing but the
correlations between classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._dimensions import needs_room
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


def check(cell: Cell, facts: CellFacts) -> str | None:
    """The Gram matrix of C texts has a factor of width D only if C <= D."""
    return needs_room(facts, "a Gram-matched classifier")


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD nearest to the random r_CD (least squares) with w w^T = t t^T of the normalised text.

    With S the square root of the Gram matrix, w = S P where P is the orthogonal factor of S r
    (orthogonal Procrustes).
    """
    import torch
    from torch.nn import functional as F

    r_CD = torch.randn(inputs.n_classes, inputs.dim, generator=inputs.generator)
    t_CD = F.normalize(inputs.text(), dim=-1).double()
    values_C, vectors_CC = torch.linalg.eigh(t_CD @ t_CD.T)
    # Rounding leaves eigenvalues of a singular Gram matrix a little below zero.
    root_CC = vectors_CC * values_C.clamp(min=0).sqrt() @ vectors_CC.T
    u_CC, _, vt_CD = torch.linalg.svd(root_CC @ r_CD.double(), full_matrices=False)
    w_CD: torch.Tensor = root_CC @ u_CC @ vt_CD
    return w_CD.float()
