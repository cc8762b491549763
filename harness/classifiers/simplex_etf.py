"""A simplex equiangular tight frame: rows as far apart as C directions can be, randomly rotated.

All rows have length 1 and every two of them the cosine -1/(C - 1), the smallest that C directions
can share. Classifiers end there under neural collapse (Papyan et al. 2020). With H (C, C - 1) an
orthonormal basis of the vectors that sum to 0, and R (C - 1, D) orthonormal rows that the seed
draws, W = sqrt(C / (C - 1)) H R. C rows need C - 1 dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._dimensions import width_of
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """A simplex of C points spans C - 1 dimensions, and one point has no direction."""
    n_classes, width = facts.n_classes, width_of(cell, facts)
    if n_classes < 2:
        return "a simplex needs at least 2 classes"
    if n_classes - 1 > width:
        return (
            f"a simplex of {n_classes} classes needs {n_classes - 1} dimensions: there are {width}"
        )
    return None


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD with rows of length 1; needs 2 <= C <= D + 1."""
    import torch

    c = inputs.n_classes
    u_DE = torch.randn(inputs.dim, c - 1, generator=inputs.generator, dtype=torch.float64)
    q_DE, r_EE = torch.linalg.qr(u_DE)
    # With a positive diagonal of R, Q is uniform over all frames (Mezzadri 2007).
    q_DE = q_DE * r_EE.diagonal().sign()
    w_CD: torch.Tensor = (c / (c - 1)) ** 0.5 * _helmert(c) @ q_DE.T
    return w_CD.float()


def _helmert(c: int) -> torch.Tensor:
    """(C, C - 1): orthonormal columns that sum to 0, from the Helmert matrix."""
    import torch

    k_E = torch.arange(1, c, dtype=torch.float64)
    h_CE = torch.ones(c, c - 1, dtype=torch.float64).triu()  # column k: k ones ...
    h_CE[torch.arange(1, c), torch.arange(c - 1)] = -k_E  # ... and then -k
    return h_CE / (k_E * (k_E + 1)).sqrt()
