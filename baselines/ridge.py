"""Ridge regression on whitened embeddings, as big_vision evaluates representations; no texts.

`fewshot_lsr` of big_vision (Google Research), the few-shot accuracy of its papers on ViT.

    logits = x W^T, W = Y^T X (X^T X + l2 I)^-1, x = ((z - mean) / (std + 1e-5), 100)

z: the embedding as the encoder gives it; mean and std (divisor N): of each dimension over the
support set; 100: a constant feature in place of a bias, so large that the penalty hardly holds it;
Y: targets, 1 for the own class and -1 for all others. With fewer samples than features it is solved
as W^T = X^T (X X^T + l2 I)^-1 Y.

Protocol of the code: the layer before the head, the centre of the picture, 1, 5, 10 and 25 nested
shots of three seeds, l2 = 2^10 for everything. Here: the embedding after the projection, as for
every method, the same l2 where nothing is searched, and every second power from 2^-10 to 2^20
otherwise. big_vision shares one eigendecomposition among all strengths; here each is solved by
itself, to the same W.

The logits are regressions of -1 and 1 and no log-odds: NLL and calibration read them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("support",)
SPACE = {"l2": tuple(2.0**power for power in range(-10, 21, 2))}
BIAS_FEATURE = 100.0
#: Added to every standard deviation.
LEAST_STD = 1e-5


class Options(BaseModel):
    """l2: the weight of the penalty beside a sum over samples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    l2: float = Field(default=1024.0, gt=0, allow_inf_nan=False)


@dataclass(frozen=True)
class State:
    """The statistics of the support set, and W with the column of the constant feature apart."""

    mean_D: torch.Tensor
    std_D: torch.Tensor
    w_CD: torch.Tensor
    b_C: torch.Tensor


def fit(inputs: MethodInputs, options: Options) -> State:
    """Solve the ridge regression in double precision."""
    import torch
    from torch.nn import functional as F

    z_ND, y_N = inputs.support()
    wide_ND = z_ND.double()
    mean_D = wide_ND.mean(dim=0)
    std_D = wide_ND.std(dim=0, correction=0) + LEAST_STD
    x_NE = F.pad((wide_ND - mean_D) / std_D, (0, 1), value=BIAS_FEATURE)
    y_NC = 2 * F.one_hot(y_N, inputs.n_classes).double() - 1
    n, width = x_NE.shape
    if n < width:
        gram_NN = x_NE @ x_NE.T + options.l2 * torch.eye(n, dtype=x_NE.dtype)
        w_EC = x_NE.T @ torch.linalg.solve(gram_NN, y_NC)
    else:
        scatter_EE = x_NE.T @ x_NE + options.l2 * torch.eye(width, dtype=x_NE.dtype)
        w_EC = torch.linalg.solve(scatter_EE, x_NE.T @ y_NC)
    parts = (mean_D, std_D, w_EC[:-1].T, BIAS_FEATURE * w_EC[-1])
    return State(*(part.to(z_ND.dtype) for part in parts))


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    return ((z_ND - state.mean_D) / state.std_D) @ state.w_CD.T + state.b_C


def parameters(state: State) -> int:
    """W and the bias."""
    return state.w_CD.numel() + state.b_C.numel()
