"""The weights of a Fisher discriminant, which gda, lda and lda_sample share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierOptions

if TYPE_CHECKING:
    import torch


class CovarianceOptions(ClassifierOptions):
    """covariance: within classes, or the total of all samples, which one sample a class has too."""

    covariance: Literal["within", "total"] = "within"


class DiscriminantOptions(CovarianceOptions):
    """shrinkage: from 0, the covariance itself, to 1, a multiple of the identity; by default
    D / (D + N - 1). covariance: within classes, or the total of all samples.
    """

    shrinkage: float | None = Field(default=None, ge=0, le=1)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """A class of one sample has no covariance; one sample alone has none either. Pooled support
    views are several samples.
    """
    if facts.per_class != 1:
        return None
    options = dict(cell.classifier.options) if cell.classifier else {}
    if options.get("covariance") == "total":
        return None  # of two samples at least, as a task has two classes
    return "the covariance within classes needs 2 samples of a class; covariance: total needs 1"


def unit(z_ND: torch.Tensor) -> torch.Tensor:
    """Rows of length 1, in double precision: the inverse of few samples is badly conditioned."""
    from torch.nn import functional as F

    return F.normalize(z_ND, dim=-1).double()


def discriminant(
    z_ND: torch.Tensor,
    y_N: torch.Tensor,
    n_classes: int,
    shrinkage: float | None,
    covariance: str = "within",
) -> torch.Tensor:
    """w_CD = class means times the inverse shrunk covariance, as scikit-learn's coef_.

    The covariance within classes, or that of all samples around their mean, is shrunk towards a
    multiple of the identity, by default by D / (D + N - 1).
    """
    import torch

    mean_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(n_classes)])
    n, d = z_ND.shape
    centred_ND = z_ND - (mean_CD[y_N] if covariance == "within" else z_ND.mean(dim=0))
    cov_DD = centred_ND.T @ centred_ND / n
    s = d / (d + n - 1) if shrinkage is None else shrinkage
    shrunk_DD = (1 - s) * cov_DD + s * cov_DD.trace() / d * torch.eye(d, dtype=cov_DD.dtype)
    # With shrinkage 0 and fewer samples than dimensions there is no inverse, only a pseudo-inverse.
    inverse_DD: torch.Tensor = torch.linalg.pinv(shrunk_DD, hermitian=True)
    return (mean_CD @ inverse_DD).float()
