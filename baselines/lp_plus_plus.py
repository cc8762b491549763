"""LP++: a linear probe whose class texts are blended in with a trained weight per class.

Huang et al., CVPR 2024, arXiv 2404.02285.

    logits_c = <f, w_c> + b_c + alpha_c <f, t_c>

f, t_c: embeddings of length 1; there is no logit scale. Cross-entropy over the whole support set,
300 steps of SGD with momentum 0.9 on W and b, lr_w = 4N / lambda_max(F^T F), no decay. Every 10th
step alpha <- alpha - lr_a G with lr_a = N / (4 max_c sum_i <f_i, t_c>^2).

`form: published` is as the authors' code: w_c starts at the sum of the class's support features,
alpha at 250 times the mean over classes of the mean <f_i, t_c>, and G is the gradient accumulated
since the start. `form: clean`: w_c starts at the mean, and G is the gradient of that step. In both
b starts uniform in +-1/sqrt(D).

Protocol of the paper: the last step with the highest accuracy on K validation samples a class.
Here: the last step; nothing is validated. Features are the support set as the task reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.core.protocols.method import MethodInputs

if TYPE_CHECKING:
    import torch

USES = ("classifier", "support", "seed")
MOMENTUM, EVERY, START = 0.9, 10, 250.0


class Options(BaseModel):
    """form: as the authors' code, or as the paper's formulas. steps: of gradient descent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["published", "clean"] = "published"
    steps: int = Field(default=300, ge=1)


@dataclass(frozen=True)
class State:
    """W, b and alpha as trained, the rows of the texts, the last loss and the number of steps."""

    w_CD: torch.Tensor
    b_C: torch.Tensor
    alpha_C: torch.Tensor
    text_CD: torch.Tensor
    loss: float
    steps: int


def fit(inputs: MethodInputs, options: Options) -> State:
    """Gradient descent with gradients written out."""
    import torch
    from torch.nn import functional as F

    z_ND, y_N = inputs.support()
    f_ND, text_CD = F.normalize(z_ND, dim=1), F.normalize(inputs.classifier(), dim=1)
    y_NC = F.one_hot(y_N, inputs.n_classes).to(f_ND.dtype)
    published = options.form == "published"
    similar_NC = f_ND @ text_CD.T
    w_CD, b_C, alpha_C = _start(inputs, f_ND, y_NC, similar_NC, published)
    lr_w, lr_a = _rates(f_ND, similar_NC)
    move_w, move_b, g_C = torch.zeros_like(w_CD), torch.zeros_like(b_C), torch.zeros_like(b_C)
    loss = torch.zeros(())
    for step in range(1, options.steps + 1):
        logits_NC = f_ND @ w_CD.T + b_C + alpha_C * similar_NC
        loss = F.cross_entropy(logits_NC, y_N)
        error_NC = (logits_NC.softmax(dim=1) - y_NC) / len(f_ND)
        move_w = MOMENTUM * move_w + error_NC.T @ f_ND
        move_b = MOMENTUM * move_b + error_NC.sum(dim=0)
        now_C = (error_NC * similar_NC).sum(dim=0)
        g_C = g_C + now_C if published else now_C
        w_CD, b_C = w_CD - lr_w * move_w, b_C - lr_w * move_b
        if step % EVERY == 0:
            alpha_C = alpha_C - lr_a * g_C
    return State(w_CD, b_C, alpha_C, text_CD, float(loss), options.steps)


def _start(
    inputs: MethodInputs,
    f_ND: torch.Tensor,
    y_NC: torch.Tensor,
    similar_NC: torch.Tensor,
    published: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """W, b and alpha before the first step."""
    import torch

    counts_C = y_NC.sum(dim=0)
    w_CD = y_NC.T @ f_ND
    if not published:
        w_CD = w_CD / counts_C.clamp(min=1)[:, None]
    uniform_C = 2 * torch.rand(len(w_CD), generator=inputs.generator, dtype=torch.float64) - 1
    b_C = (uniform_C / inputs.dim**0.5).to(w_CD)
    seen_C = counts_C > 0
    mean_C = ((y_NC * similar_NC).sum(dim=0) / counts_C.clamp(min=1))[seen_C]
    return w_CD, b_C, torch.full_like(b_C, START * float(mean_C.mean()))


def _rates(f_ND: torch.Tensor, similar_NC: torch.Tensor) -> tuple[float, float]:
    """lr_w and lr_a. F F^T has the same largest eigenvalue and may be the smaller matrix."""
    import torch

    n, dim = f_ND.shape
    gram = f_ND @ f_ND.T if n < dim else f_ND.T @ f_ND
    lr_w = 4 * n / float(torch.linalg.eigvalsh(gram)[-1])
    return lr_w, n / (4 * float(similar_NC.square().sum(dim=0).max()))


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    f_ND = F.normalize(z_ND, dim=1)
    return f_ND @ state.w_CD.T + state.b_C + state.alpha_C * (f_ND @ state.text_CD.T)


def parameters(state: State) -> int:
    """W, b and alpha."""
    return state.w_CD.numel() + state.b_C.numel() + state.alpha_C.numel()


def facts(state: State) -> Mapping[str, Any]:
    """The last loss and the number of steps."""
    return {"loss": state.loss, "steps": state.steps}
