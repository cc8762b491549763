"""Ridge regression of one-vs-rest targets on the support set, in closed form.

With F (N, D) the normalised support embeddings and Y (N, C) their targets, 1 for the own class and
0 for the others, W minimises the mean over samples of |W f - y|^2 / 2 plus (l2 / 2) |W|^2:
W = Y^T F (F^T F + N l2 I)^-1, or Y^T (F F^T + N l2 I)^-1 F with fewer samples than dimensions.
There is no bias. Targets of -1 in place of 0 would double W and add one vector to all its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("support",)


class Options(ClassifierOptions):
    """l2: the weight of the penalty, above 0. It counts beside a mean over samples, so one value
    has the same meaning for every number of shots.
    """

    l2: float = Field(default=0.01, gt=0, allow_inf_nan=False)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD of the ridge regression."""
    import torch
    from torch.nn import functional as F

    z_ND, y_N = inputs.support()
    z_ND = F.normalize(z_ND.double(), dim=-1)
    y_NC = F.one_hot(y_N, inputs.n_classes).double()
    n, d = z_ND.shape
    ridge = n * options.l2
    if n < d:
        gram_NN = z_ND @ z_ND.T + ridge * torch.eye(n, dtype=z_ND.dtype)
        w_DC = z_ND.T @ torch.linalg.solve(gram_NN, y_NC)
    else:
        scatter_DD = z_ND.T @ z_ND + ridge * torch.eye(d, dtype=z_ND.dtype)
        w_DC = torch.linalg.solve(scatter_DD, z_ND.T @ y_NC)
    w_CD: torch.Tensor = w_DC.T.contiguous()
    return w_CD.float()
