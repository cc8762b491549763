"""RLA, the regularised linear adapter: a square matrix behind the encoder, held to the identity.

Fahes et al., 2024, arXiv 2410.05270: ProLIP for encoders whose projection is out of reach.

    z' = A z,    logits_c = s <z' / |z'|, w_c>,    loss = cross-entropy + lambda |A - I|_F^2

z: the embedding of a picture; A: D x D, starts at the identity I; w_c: row c of the cell's
classifier with length 1, fixed; s: logit scale, fixed. Adam without decay (eps 1e-4), the whole
support set in a step, 300 steps, cosine to 0; step e reads view e mod V of every picture.

Protocol of the paper: 300 stored views; without validation lambda = 1/K or 1/K^2 for K shots and
any learning rate from 1e-5 to 1e-2. Here: the views that the task has, lambda = 1/K where nothing
is searched, and otherwise 4 x 4 values of the learning rate and of the strength in lambda =
strength / K^per_shot. `relative: true` divides lambda by |I|_F^2 = D, so that a strength means the
same in every width. A picture has the length 1 before A; that changes nothing, as A z is
normalised. K is the mean number of pictures of a class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from baselines._training import cosine, train, view_of_epoch
from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views")
SPACE = {"lr": (1e-5, 1e-4, 1e-3, 1e-2), "strength": (1e-3, 1e-2, 0.1, 1.0)}


class Options(BaseModel):
    """lr: the highest learning rate. strength, per_shot, relative: of lambda. steps: of Adam."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lr: float = Field(default=1e-4, gt=0)
    strength: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    per_shot: Literal[0, 1, 2] = 1
    relative: bool = False
    steps: int = Field(default=300, ge=1)


@dataclass(frozen=True)
class State:
    """A, the rows with the logit scale, lambda, the last loss and the number of steps."""

    a_DD: torch.Tensor
    w_CD: torch.Tensor
    penalty: float
    loss: float
    steps: int


def penalty(options: Options, shots: float, dim: int) -> float:
    """lambda: the weight of |A - I|_F^2."""
    of_shots = options.strength / float(shots**options.per_shot)
    return of_shots / dim if options.relative else of_shots


def fit(inputs: MethodInputs, options: Options) -> State:
    """Train A."""
    import torch
    from torch.nn import functional as F

    w_CD = inputs.logit_scale * F.normalize(inputs.classifier(), dim=1)
    z_NVD, y_N = inputs.views()
    identity_DD = torch.eye(inputs.dim).to(w_CD)
    weight = penalty(options, len(y_N) / inputs.n_classes, inputs.dim)

    def loss_of(
        weights: Sequence[torch.Tensor], f_ND: torch.Tensor, y_N: torch.Tensor
    ) -> torch.Tensor:
        moved = (weights[0] - identity_DD).square().sum()
        return F.cross_entropy(_adapt(f_ND, weights[0]) @ w_CD.T, y_N) + weight * moved

    def views() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for step in range(options.steps):
            yield view_of_epoch(z_NVD, step), y_N

    (a_DD,), loss, steps = train(
        [identity_DD],
        views(),
        loss_of,
        lambda step: cosine(options.lr, step, options.steps),
        weight_decay=0.0,
        eps=1e-4,
    )
    return State(a_DD, w_CD, weight, loss, steps)


def _adapt(f_ND: torch.Tensor, a_DD: torch.Tensor) -> torch.Tensor:
    """Z' of length 1."""
    from torch.nn import functional as F

    return F.normalize(f_ND @ a_DD.T, dim=1)


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    return _adapt(z_ND, state.a_DD) @ state.w_CD.T


def parameters(state: State) -> int:
    """A."""
    return state.a_DD.numel()


def facts(state: State) -> Mapping[str, Any]:
    """lambda, the last loss with its penalty, and the number of steps."""
    return {"lambda": state.penalty, "loss": state.loss, "steps": state.steps}
