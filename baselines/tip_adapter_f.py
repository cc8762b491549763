"""Tip-Adapter-F: Tip-Adapter whose cached keys are trained.

Zhang et al., ECCV 2022, arXiv 2111.03930.

    logits = s f T^T + alpha exp(-beta (1 - f F^T)) Y

The keys F start at Tip-Adapter's cache and are trained by cross-entropy on these logits; T, Y and s
are fixed. AdamW (lr 1e-3, eps 1e-4, weight decay 0.01), batches of 256, 20 epochs, cosine per step.

Protocol of the paper: pictures are augmented anew in every epoch, the epoch with the highest
accuracy on the test set is kept, and alpha and beta are searched again afterwards. Here: epoch e
reads view e mod V of every picture, and the last epoch is reported. With one view (V = 1) every
picture meets its own key unchanged at the start, so the cache fits the support set from step 0
and there is less to learn. alpha = beta = 1 where nothing is searched; a search is over the 4 x 4
values of Tip-Adapter, because the paper searches these two and no learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from baselines import tip_adapter
from baselines._training import batches_of_views, cosine, train
from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views", "seed")
SPACE = tip_adapter.SPACE


class Options(tip_adapter.Options):
    """alpha, beta: as in tip_adapter. lr: the highest learning rate. epochs, batch: of training."""

    lr: float = Field(default=1e-3, gt=0)
    epochs: int = Field(default=20, ge=1)
    batch: int = Field(default=256, ge=1)


@dataclass(frozen=True)
class State:
    """Tip-Adapter's state with trained keys, the last loss and the number of steps."""

    cache: tip_adapter.State
    loss: float
    steps: int


def fit(inputs: MethodInputs, options: Options) -> State:
    """Train the keys."""
    from torch.nn import functional as F

    cache = tip_adapter.fit(inputs, options)
    z_NVD, y_N = inputs.views()
    steps = options.epochs * -(-len(y_N) // options.batch)

    def loss_of(
        weights: Sequence[torch.Tensor], f_BD: torch.Tensor, y_B: torch.Tensor
    ) -> torch.Tensor:
        logits_BC = tip_adapter.logits(f_BD, replace(cache, keys_ND=weights[0]))
        return F.cross_entropy(logits_BC, y_B)

    (keys_ND,), loss, done = train(
        [cache.keys_ND],
        batches_of_views(z_NVD, y_N, options.batch, options.epochs, inputs.generator),
        loss_of,
        lambda step: cosine(options.lr, step, steps),
        weight_decay=0.01,
        eps=1e-4,
    )
    return State(replace(cache, keys_ND=keys_ND), loss, done)


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    return tip_adapter.logits(z_ND, state.cache)


def parameters(state: State) -> int:
    """The numbers of the keys."""
    return state.cache.keys_ND.numel()


def facts(state: State) -> Mapping[str, Any]:
    """The last loss and the number of steps."""
    return {"loss": state.loss, "steps": state.steps}
