"""The weights of a Fisher discriminant on the support set's embeddings (section 2.2).

The covariance within classes is shrunk towards a multiple of the identity; the default shrinkage
D / (D + N - 1) is that of S^-1 = D pinv((N - 1) Cov + trace(Cov) I), which few-shot work uses.
It is fitted on the support set only, whose embeddings are normalised first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("support",)


class Options(ClassifierOptions):
    """shrinkage: from 0, the covariance itself, to 1, a multiple of the identity; by default
    D / (D + N - 1). per_class: fit on the first so many samples of every class (60 in the paper).
    """

    shrinkage: float | None = Field(default=None, ge=0, le=1)
    per_class: int | None = Field(default=None, ge=2)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """A class of one sample has no covariance."""
    if cell.shots == 1 or facts.per_class == 1:
        return "the covariance within classes needs 2 samples of a class"
    return None


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD = class means times the inverse shrunk covariance, as scikit-learn's coef_."""
    import torch
    from torch.nn import functional as F

    z_ND, y_N = inputs.support()
    z_ND = F.normalize(z_ND, dim=-1).double()  # the inverse of few samples is badly conditioned
    if options.per_class is not None:
        z_ND, y_N = _first_of_each_class(z_ND, y_N, options.per_class)
    mean_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(inputs.n_classes)])
    n, d = z_ND.shape
    centred_ND = z_ND - mean_CD[y_N]
    cov_DD = centred_ND.T @ centred_ND / n
    s = d / (d + n - 1) if options.shrinkage is None else options.shrinkage
    shrunk_DD = (1 - s) * cov_DD + s * cov_DD.trace() / d * torch.eye(d, dtype=cov_DD.dtype)
    # With shrinkage 0 and fewer samples than dimensions there is no inverse, only a pseudo-inverse.
    inverse_DD: torch.Tensor = torch.linalg.pinv(shrunk_DD, hermitian=True)
    return (mean_CD @ inverse_DD).float()


def _first_of_each_class(
    z_ND: torch.Tensor, y_N: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first k samples of every class, class after class."""
    import torch

    kept = torch.cat([torch.nonzero(y_N == c).flatten()[:k] for c in y_N.unique()])
    return z_ND[kept], y_N[kept]
