"""GDA: Gaussian discriminant analysis of the support set beside the zero-shot classifier.

"A hard-to-beat baseline for training-free CLIP-based adaptation", Wang et al., ICLR 2024.

    logits = s f T^T + alpha (f W^T + b)
    W = M Omega, b_c = -log C - 1/2 mu_c^T Omega mu_c, Omega = D ((n - 1) S + trace(S) I)^-1

f: the embedding of a picture with length 1; T: rows of the cell's classifier; s: logit scale; M:
the class means mu_c of the n rows of the support set, which are all views of all its pictures with
length 1; S: the covariance of these rows around the mean of their class (divisor n - 1).

Protocol of the paper: 10 crops of 0.5 to 1 of the area with flip; alpha from the seven powers of
ten from 1e-4 to 100 by the whole official validation set. Here: alpha = 1 where nothing is
searched, which is our choice, and 16 values of the same range otherwise. The published code has a
pseudo-inverse; ((n - 1) S + trace(S) I) has an inverse wherever S is not 0. S is 0 for one picture
of every class in one view: such a cell is infeasible.

The classifier `gda` is W alone, as a start for training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from harness.core.cells import Cell
from harness.core.class_means import class_sums, refuse_empty_classes
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.method import MethodInputs
from harness.sampling.support_views import random_crops

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views")
#: Four tenths of a power of ten apart.
SPACE = {
    "alpha": (
        1e-4, 2.5e-4, 6.3e-4, 1.6e-3, 4e-3, 0.01, 0.025, 0.063, 0.16, 0.4, 1.0, 2.5, 6.3, 16.0,
        40.0, 100.0,
    )
}  # fmt: skip
#: Of rows of length 1. A variance below this is what rounding leaves of 0.
LEAST_VARIANCE = 1e-12


class Options(BaseModel):
    """alpha: weight of the discriminant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = Field(default=1.0, ge=0, allow_inf_nan=False)


@dataclass(frozen=True)
class State:
    """logits = f w^T + b, of both terms together."""

    w_CD: torch.Tensor
    b_C: torch.Tensor


def check(cell: Cell, facts: CellFacts) -> str | None:
    """One row of every class has no covariance."""
    crops = random_crops(cell)
    if cell.shots != 1 or (crops is not None and crops.n > 1):
        return None
    return "the covariance within classes needs two rows of a class: more shots, or support_views"


def fit(inputs: MethodInputs, options: Options) -> State:
    """Class means and covariance in double precision.

    Raises CellError for a class without samples, and where the rows of every class are equal.
    """
    z_NVD, y_N = inputs.views()
    y_M = y_N.repeat_interleave(z_NVD.shape[1])
    w_CD, b_C = _discriminant(z_NVD.double().flatten(0, 1), y_M, inputs.n_classes)
    text_CD = inputs.classifier()
    both_CD = inputs.logit_scale * text_CD + options.alpha * w_CD
    return State(both_CD.to(text_CD.dtype), (options.alpha * b_C).to(text_CD.dtype))


def _discriminant(
    z_MD: torch.Tensor, y_M: torch.Tensor, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """W and b of the rows of the support set."""
    import torch
    from torch.nn import functional as F

    sum_CD, count_C = class_sums(z_MD, y_M, n_classes)
    refuse_empty_classes(count_C)
    mean_CD = sum_CD / count_C[:, None]
    centred_MD = F.normalize(z_MD, dim=1) - mean_CD[y_M]
    scatter_DD = centred_MD.T @ centred_MD  # (n - 1) S
    trace = scatter_DD.trace() / (len(z_MD) - 1)
    if trace < LEAST_VARIANCE:
        raise CellError("the rows of every class are equal: there is no covariance within classes")
    dim = z_MD.shape[1]
    factor_DD = torch.linalg.cholesky(scatter_DD + trace * torch.eye(dim, dtype=z_MD.dtype))
    w_CD = dim * torch.cholesky_solve(mean_CD.T, factor_DD).T
    b_C = -math.log(n_classes) - (mean_CD * w_CD).sum(dim=1) / 2
    return w_CD, b_C


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    return F.normalize(z_ND, dim=1) @ state.w_CD.T + state.b_C


def parameters(state: State) -> int:
    """W and b."""
    return state.w_CD.numel() + state.b_C.numel()
