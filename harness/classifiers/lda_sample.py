"""LDA on a sample of every class that the seed draws (the paper's Table 1: 60 videos a class).

lda fits on the whole support set, or on its first samples; this one draws, so that seeds differ in
the sample as well. A class of fewer samples takes part with all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.classifiers._discriminant import DiscriminantOptions, check, discriminant, unit
from harness.core.protocols.classifier import ClassifierInputs

if TYPE_CHECKING:
    import torch

__all__ = ["USES", "Options", "build", "check"]  # check is that of every discriminant

USES = ("support", "seed")


class Options(DiscriminantOptions):
    """shrinkage: from 0, the covariance itself, to 1, a multiple of the identity; by default
    D / (D + N - 1). covariance: within classes, or the total of all samples. per_class: how many
    samples of every class are drawn.
    """

    per_class: int = Field(default=60, ge=2)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD of the discriminant on the sample."""
    import torch

    z_ND, y_N = inputs.support()
    drawn = []
    for c in range(inputs.n_classes):
        own = torch.nonzero(y_N == c).flatten()
        order = torch.randperm(len(own), generator=inputs.generator)
        drawn.append(own[order[: options.per_class].sort().values])
    kept = torch.cat(drawn)
    z_ND = unit(z_ND)[kept]
    return discriminant(z_ND, y_N[kept], inputs.n_classes, options.shrinkage, options.covariance)
