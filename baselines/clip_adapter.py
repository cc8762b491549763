"""CLIP-Adapter: a small network behind the image encoder, blended with what goes into it.

Gao et al., arXiv 2110.04544.

    z' = r ReLU(A2 ReLU(A1 f)) + (1 - r) f,    logits_c = s <z' / |z'|, w_c>

f: the embedding of a picture with length 1, so that r means the same for every encoder; A1: D to
D/4, A2: back, both without bias; w_c: row c of the cell's classifier with length 1, fixed; r = 0.2.

Protocol of the paper: r is searched on the test set of each data set. Here r is fixed. The recipe
of the training is nowhere public. Ours is that of Tip-Adapter-F with more epochs, as the network
starts at random: AdamW (lr 1e-3, weight decay 0.01), batches of 256, 50 epochs, cosine per step,
epoch e reads view e mod V; the last epoch is reported. A1 and A2 start uniform in
+-1/sqrt(inputs), as linear layers of torch do. A search is over r and the learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from baselines._training import batches_of_views, cosine, train
from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views", "seed")
SPACE = {"ratio": (0.2, 0.4, 0.6, 0.8), "lr": (1e-4, 1e-3, 1e-2)}


class Options(BaseModel):
    """ratio: r. lr: the highest learning rate. epochs, batch: of training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ratio: float = Field(default=0.2, ge=0, le=1)
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    epochs: int = Field(default=50, ge=1)
    batch: int = Field(default=256, ge=1)


@dataclass(frozen=True)
class State:
    """The adapter (H = D/4), the rows with the logit scale, the last loss and number of steps."""

    down_HD: torch.Tensor
    up_DH: torch.Tensor
    ratio: float
    w_CD: torch.Tensor
    loss: float
    steps: int


def fit(inputs: MethodInputs, options: Options) -> State:
    """Train A1 and A2."""
    from torch.nn import functional as F

    w_CD = inputs.logit_scale * F.normalize(inputs.classifier(), dim=1)
    hidden = max(1, inputs.dim // 4)
    start = [
        _uniform(hidden, inputs.dim, inputs.generator).to(w_CD),
        _uniform(inputs.dim, hidden, inputs.generator).to(w_CD),
    ]
    z_NVD, y_N = inputs.views()
    steps = options.epochs * -(-len(y_N) // options.batch)

    def loss_of(
        weights: Sequence[torch.Tensor], f_BD: torch.Tensor, y_B: torch.Tensor
    ) -> torch.Tensor:
        adapted_BD = _adapt(f_BD, weights[0], weights[1], options.ratio)
        return F.cross_entropy(adapted_BD @ w_CD.T, y_B)

    (down_HD, up_DH), loss, done = train(
        start,
        batches_of_views(z_NVD, y_N, options.batch, options.epochs, inputs.generator),
        loss_of,
        lambda step: cosine(options.lr, step, steps),
        weight_decay=options.weight_decay,
    )
    return State(down_HD, up_DH, options.ratio, w_CD, loss, done)


def _uniform(rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    """The start of a linear layer from `columns` to `rows`."""
    import torch

    unit = torch.rand(rows, columns, generator=generator, dtype=torch.float64)
    uniform: torch.Tensor = (2 * unit - 1) / columns**0.5
    return uniform


def _adapt(
    f_ND: torch.Tensor, down_HD: torch.Tensor, up_DH: torch.Tensor, ratio: float
) -> torch.Tensor:
    """Z' of length 1."""
    from torch.nn import functional as F

    new_ND = ((f_ND @ down_HD.T).relu() @ up_DH.T).relu()
    return F.normalize(ratio * new_ND + (1 - ratio) * f_ND, dim=1)


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    f_ND = F.normalize(z_ND, dim=1)
    return _adapt(f_ND, state.down_HD, state.up_DH, state.ratio) @ state.w_CD.T


def parameters(state: State) -> int:
    """A1 and A2."""
    return state.down_HD.numel() + state.up_DH.numel()


def facts(state: State) -> Mapping[str, Any]:
    """The last loss and the number of steps."""
    return {"loss": state.loss, "steps": state.steps}
