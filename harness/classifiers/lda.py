"""The weights of a Fisher discriminant on the support set's embeddings (section 2.2).

The covariance within classes is shrunk towards a multiple of the identity; the default shrinkage
D / (D + N - 1) is that of S^-1 = D pinv((N - 1) Cov + trace(Cov) I), which few-shot work uses.
It is fitted on the support set only, whose embeddings are normalised first.

At one shot the covariance within classes is 0. `covariance: total` takes that of all samples around
their mean, which is the one within classes plus the one between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.classifiers._discriminant import DiscriminantOptions, check, discriminant, unit
from harness.core.protocols.classifier import ClassifierInputs

if TYPE_CHECKING:
    import torch

__all__ = ["USES", "Options", "build", "check"]  # check is that of every discriminant

USES = ("support",)


class Options(DiscriminantOptions):
    """shrinkage: from 0, the covariance itself, to 1, a multiple of the identity; by default
    D / (D + N - 1). covariance: within classes, or the total of all samples. per_class: fit on the
    first so many samples of every class.
    """

    per_class: int | None = Field(default=None, ge=2)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD = class means times the inverse shrunk covariance, as scikit-learn's coef_."""
    z_ND, y_N = inputs.support()
    z_ND = unit(z_ND)
    if options.per_class is not None:
        z_ND, y_N = _first_of_each_class(z_ND, y_N, options.per_class)
    return discriminant(z_ND, y_N, inputs.n_classes, options.shrinkage, options.covariance)


def _first_of_each_class(
    z_ND: torch.Tensor, y_N: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first k samples of every class, class after class."""
    import torch

    kept = torch.cat([torch.nonzero(y_N == c).flatten()[:k] for c in y_N.unique()])
    return z_ND[kept], y_N[kept]
