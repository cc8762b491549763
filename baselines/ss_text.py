"""SS-Text: text plus support in closed form, with a cosine classifier.

Silva-Rodriguez et al., IPMI 2025.

    logits_c = s <f, w_c / |w_c|>, w_c = t_c + (1 / (N lambda_c)) s sum over class c of f_i

f: the embedding of a picture with length 1; t_c: row c of the cell's classifier; f_i: the N rows of
the support set with length 1; s: logit scale; lambda_c = 1 / n_c for a class of n_c rows, but 0.001
at least, as in the published code. So a class of more rows leaves its text further behind, and with
K shots of every class w_c is t_c plus s K / C times the class mean.

Protocol of the paper: encoders of medical pictures, features computed once, no validation. There is
nothing to choose here either. With `support_views` and `use: pool` every view is a row, and so
counts as a shot; otherwise a row is a picture.

The classifier `ss_text` is W as a start for training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.class_means import text_plus_support
from harness.core.protocols.method import MethodInputs
from harness.core.protocols.plugin import NoOptions

if TYPE_CHECKING:
    import torch

USES = ("classifier", "support")


@dataclass(frozen=True)
class State:
    """Rows of W of length 1, times the logit scale."""

    w_CD: torch.Tensor


def fit(inputs: MethodInputs, options: NoOptions) -> State:
    """A class without samples keeps its text."""
    from torch.nn import functional as F

    s = inputs.logit_scale
    w_CD = text_plus_support(inputs.classifier(), *inputs.support(), s)
    return State(s * F.normalize(w_CD, dim=1))


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    return F.normalize(z_ND, dim=1) @ state.w_CD.T


def weight(state: State) -> torch.Tensor:
    """w_CD, for embeddings of length 1; for others it gives the same predictions."""
    return state.w_CD


def parameters(state: State) -> int:
    """W."""
    return state.w_CD.numel()
