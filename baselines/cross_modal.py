"""Cross-modal linear probe: class texts are training samples beside the pictures.

Lin et al., CVPR 2023, arXiv 2301.06267; `wise: true` adds the WiSE head of Wortsman et al. 2022.

    logits_c = s <x, w_c>

x: a picture or a row of the cell's classifier, of length 1; W is not normalised, has no bias and
starts at the class rows T. Half of each batch are pictures (all views, pooled), half class rows.
Cross-entropy with s fixed, AdamW, learning rate linear from 1e-5 over 50 steps, then cosine. The
WiSE head is (W + T) / 2.

Protocol of the paper: 12,800 iterations; 2 learning rates x 3 decays x 2 batch sizes and 128
checkpoints each are chosen on at most 4 validation pictures a class; a picture is its centre crop
and the flip of that. Here: 1,000 iterations of batch 32, a shortened budget, the views that the
task has, and the last step is reported. A search is over the paper's 12 settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from baselines._training import cosine, endless, train
from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "views", "seed")
SPACE = {"lr": (1e-3, 1e-4), "weight_decay": (0.0, 0.01, 1e-4), "batch": (8, 32)}
WARM_UP, FIRST_LR = 50, 1e-5


class Options(BaseModel):
    """batch: pictures and class rows together. iterations: more than the 50 of the warm-up.
    wise: the mean of W and its start instead of W.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    batch: int = Field(default=32, ge=2, multiple_of=2)
    iterations: int = Field(default=1000, gt=WARM_UP)
    wise: bool = False


@dataclass(frozen=True)
class State:
    """W, the logit scale, the last loss and the number of steps."""

    w_CD: torch.Tensor
    scale: float
    loss: float
    steps: int


def rate(lr: float, step: int, steps: int) -> float:
    """The learning rate at `step`."""
    if step < WARM_UP:
        return FIRST_LR + (lr - FIRST_LR) * step / WARM_UP
    return cosine(lr, step - WARM_UP, steps - WARM_UP)


def fit(inputs: MethodInputs, options: Options) -> State:
    """Train W."""
    from torch.nn import functional as F

    t_CD = F.normalize(inputs.classifier(), dim=1)

    def loss_of(
        weights: Sequence[torch.Tensor], x_BD: torch.Tensor, y_B: torch.Tensor
    ) -> torch.Tensor:
        return F.cross_entropy(inputs.logit_scale * x_BD @ weights[0].T, y_B)

    (w_CD,), loss, steps = train(
        [t_CD],
        _batches(inputs, options, t_CD),
        loss_of,
        lambda step: rate(options.lr, step, options.iterations),
        weight_decay=options.weight_decay,
    )
    if options.wise:
        w_CD = (w_CD + t_CD) / 2
    return State(w_CD, inputs.logit_scale, loss, steps)


def _batches(
    inputs: MethodInputs, options: Options, t_CD: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(x_BD, y_B): pictures, then as many class rows."""
    import torch
    from torch.nn import functional as F

    z_NVD, y_N = inputs.views()
    f_MD = F.normalize(z_NVD, dim=2).flatten(0, 1)
    y_M = y_N.repeat_interleave(z_NVD.shape[1])
    half = options.batch // 2
    pictures = endless(len(f_MD), half, inputs.generator)
    texts = endless(len(t_CD), half, inputs.generator)
    for _ in range(options.iterations):
        of_f, of_t = next(pictures).to(y_M.device), next(texts).to(y_M.device)
        yield torch.cat([f_MD[of_f], t_CD[of_t]]), torch.cat([y_M[of_f], of_t])


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    return state.scale * F.normalize(z_ND, dim=1) @ state.w_CD.T


def weight(state: State) -> torch.Tensor:
    """w_CD, without the logit scale."""
    return state.w_CD


def parameters(state: State) -> int:
    """W."""
    return state.w_CD.numel()


def facts(state: State) -> Mapping[str, Any]:
    """The last loss and the number of steps."""
    return {"loss": state.loss, "steps": state.steps}
