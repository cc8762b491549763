"""Tip-Adapter: a cache of support pictures beside the zero-shot classifier; nothing is trained.

Zhang et al., ECCV 2022, arXiv 2111.03930.

    logits = s f T^T + alpha exp(-beta (1 - f F^T)) Y

f: the embedding of a picture with length 1; T: rows of the cell's classifier; F: the support
pictures, each the mean over its views of embeddings with length 1, brought to length 1 again;
Y: the one-hot labels; s: logit scale.

Protocol of the paper: 10 crops of 0.5 to 1 of the area with flip; alpha and beta from 20 x 200
values on the whole official validation set, in ranges of each data set. Here: alpha = beta = 1
where nothing is searched (as CLAP runs it without validation), and 4 x 4 values otherwise, of which
the largest alphas lie beyond the paper's ranges: an alpha is measured against the logit scale, and
with encoders whose texts are weak the cache should weigh more. The sum over the cache grows with
the number of shots, and so does what an alpha means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views")
SPACE = {"alpha": (1.0, 5.0, 25.0, 100.0), "beta": (1.0, 2.5, 4.5, 7.0)}


class Options(BaseModel):
    """alpha: weight of the cache. beta: how fast the affinity falls with the distance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = Field(default=1.0, ge=0)
    beta: float = Field(default=1.0, ge=0)


@dataclass(frozen=True)
class State:
    """The zero-shot classifier (with the logit scale) and the cache."""

    w_CD: torch.Tensor
    keys_ND: torch.Tensor
    values_NC: torch.Tensor  # one-hot labels times alpha
    beta: float


def fit(inputs: MethodInputs, options: Options) -> State:
    """Fill the cache."""
    from torch.nn import functional as F

    z_NVD, y_N = inputs.views()
    keys_ND = F.normalize(F.normalize(z_NVD, dim=-1).mean(dim=1), dim=-1)
    values_NC = options.alpha * F.one_hot(y_N, inputs.n_classes).to(keys_ND.dtype)
    return State(inputs.logit_scale * inputs.classifier(), keys_ND, values_NC, options.beta)


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    f_ND = F.normalize(z_ND, dim=1)
    affinity_NM = (-state.beta * (1 - f_ND @ state.keys_ND.T)).exp()
    return f_ND @ state.w_CD.T + affinity_NM @ state.values_NC
