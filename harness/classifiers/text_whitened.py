"""The text embeddings, whitened by their own covariance over the classes.

With T the normalised texts, m their mean and S their covariance, W = (T - m) S^(-1/2). Class texts
share most of their direction and vary in few others; whitening takes out what they share, and lets
every direction in which they differ count alike. S is shrunk to (1 - a) S + a trace(S) / D I.

With `shrinkage: 0` and no more classes than dimensions nothing is left of the correlations between
classes: every two rows have the cosine -1/(C - 1), as in `simplex_etf`, turned towards the texts as
well as can be. With shrinkage near 1 the rows are the centred texts. The default shows both.
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
    """shrinkage: from 0, the covariance itself, to 1, a multiple of the identity."""

    shrinkage: float = Field(default=0.1, ge=0, le=1)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """One text has no covariance."""
    if facts.n_classes < 2:
        return "the covariance of texts needs at least 2 classes"
    return None


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD, whose rows sum to 0; needs C >= 2."""
    import torch
    from torch.nn import functional as F

    t_CD = F.normalize(inputs.text().double(), dim=-1)
    u_CR, s_R, vt_RD = torch.linalg.svd(t_CD - t_CD.mean(dim=0), full_matrices=False)
    variance_R = s_R**2 / inputs.n_classes
    floor = variance_R.sum() / inputs.dim
    shrunk_R = (1 - options.shrinkage) * variance_R + options.shrinkage * floor
    # Texts do not vary in directions of rounding errors: there they stay 0.
    varies_R = s_R > s_R[0] * max(t_CD.shape) * torch.finfo(t_CD.dtype).eps
    scaled_R = torch.where(varies_R, s_R / shrunk_R.sqrt(), 0.0)
    w_CD: torch.Tensor = (u_CR * scaled_R) @ vt_RD
    return w_CD.float()
