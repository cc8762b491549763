"""Gaussian discriminant analysis, as the "hard-to-beat baseline" has it (Wang et al., ICLR 2024).

W = M Omega, with M (C, D) the class means of the normalised support embeddings, S the covariance of
the embeddings around the mean of their class (divisor N - 1), and Omega = D ((N - 1) S + trace(S)
I)^-1. In direction W is that of `lda` with its default shrinkage; its length is that of the
published code, which counts with `start_norm: raw` or `normalise: false`. The bias and the text
term of the published method are no part of W.

At one shot S is 0. The published code has numbers there because every picture is seen in ten random
crops. `covariance: total` takes the covariance of all embeddings around their mean instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._discriminant import CovarianceOptions, check, discriminant, unit
from harness.core.protocols.classifier import ClassifierInputs

if TYPE_CHECKING:
    import torch

__all__ = ["USES", "Options", "build", "check"]  # check is that of every discriminant

USES = ("support",)


class Options(CovarianceOptions):
    """covariance: within classes, or the total of all samples, which one sample a class has too."""


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD = class means times Omega."""
    z_ND, y_N = inputs.support()
    # With A the covariance of divisor N and a = D / (D + N - 1), the inverse in `discriminant` is
    # that of (1 - a) A + a trace(A) / D I = (N - 1) / N / (D + N - 1) ((N - 1) S + trace(S) I).
    n, d = z_ND.shape
    w_CD = discriminant(unit(z_ND), y_N, inputs.n_classes, None, options.covariance)
    return w_CD * (d * (n - 1) / n / (d + n - 1))
