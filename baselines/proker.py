"""ProKeR: kernel ridge regression of what the zero-shot classifier leaves unexplained.

Bendou et al., CVPR 2025, arXiv 2501.11175.

    logits = s (f T^T + k(f, F) A), A = (K / lam + I)^-1 (Y - F T^T), k(f, g) = exp(-beta (1 - f g))

f: the embedding of a picture with length 1; T: rows of the cell's classifier; F: the rows of the
support set, which are all views of all its pictures with length 1; K = k(F, F); Y: the one-hot
labels of the rows; s: logit scale. The correction is lam times that of a kernel ridge regression
with penalty lam, so the limit lam = 0 is zero-shot. A wants time that grows with the cube of the
number of rows.

Deviation: neither term has a scale in the paper. s changes no prediction, and gives NLL and
calibration the scale of the zero-shot classifier.

Protocol of the paper: 10 crops of 0.5 to 1 of the area with flip; beta and lam from 20 x 10 values
by the whole official validation set, in ranges of each data set; or "validation-free" those of
ImageNet for every data set, by the number of shots. Here: where nothing is searched, the
validation-free values for RN50 in a public fork of the authors' code (with K shots those of the
largest number there that is not above K), and 4 x 4 values otherwise. lam is weighed against the
cosines of pictures and texts, which lie close together for CLIP: an encoder whose cosines spread
further wants more than the published range, which ends at 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views")
SPACE = {"beta": (0.5, 1.0, 2.0, 3.0), "lam": (0.05, 0.2, 1.0, 5.0)}
#: Shots -> (beta, lam) for ImageNet with CLIP's RN50.
VALIDATION_FREE = {1: (3.0, 0.05), 2: (2.6, 0.05), 4: (1.5, 0.05), 8: (1.66, 0.07), 16: (1.7, 0.1)}


class Options(BaseModel):
    """beta: how fast the kernel falls with the distance. lam: penalty and weight of the correction.
    null: the validation-free value for this number of shots.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    beta: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    lam: float | None = Field(default=None, gt=0, allow_inf_nan=False)


@dataclass(frozen=True)
class State:
    """The zero-shot classifier and the kernel's rows with A, both with the logit scale."""

    w_CD: torch.Tensor
    rows_MD: torch.Tensor
    a_MC: torch.Tensor
    beta: float
    lam: float


def fit(inputs: MethodInputs, options: Options) -> State:
    """Solve for A in double precision."""
    import torch
    from torch.nn import functional as F

    z_NVD, y_N = inputs.views()
    text_CD = inputs.classifier()
    beta, lam = validation_free(len(y_N) / inputs.n_classes)
    beta = beta if options.beta is None else options.beta
    lam = lam if options.lam is None else options.lam
    rows_MD = F.normalize(z_NVD.double().flatten(0, 1), dim=1)
    y_MC = F.one_hot(y_N.repeat_interleave(z_NVD.shape[1]), inputs.n_classes)
    system_MM = _kernel(rows_MD, rows_MD, beta) / lam
    system_MM.diagonal().add_(1)
    rest_MC = y_MC - rows_MD @ text_CD.double().T
    a_MC = torch.cholesky_solve(rest_MC, torch.linalg.cholesky(system_MM))
    s, dtype = inputs.logit_scale, text_CD.dtype
    return State(s * text_CD, rows_MD.to(dtype), (s * a_MC).to(dtype), beta, lam)


def validation_free(shots: float) -> tuple[float, float]:
    """(beta, lam): those of the largest published number of shots that is not above `shots`."""
    return VALIDATION_FREE[max([k for k in VALIDATION_FREE if k <= shots], default=1)]


def _kernel(f_ND: torch.Tensor, g_MD: torch.Tensor, beta: float) -> torch.Tensor:
    """(N, M) of rows of length 1."""
    return (-beta * (1 - f_ND @ g_MD.T)).exp()


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    f_ND = F.normalize(z_ND, dim=1)
    return f_ND @ state.w_CD.T + _kernel(f_ND, state.rows_MD, state.beta) @ state.a_MC


def parameters(state: State) -> int:
    """A."""
    return state.a_MC.numel()


def facts(state: State) -> Mapping[str, Any]:
    """The values that the number of shots may have chosen."""
    return {"beta": state.beta, "lam": state.lam}
