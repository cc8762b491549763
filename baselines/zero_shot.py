"""The rows of the classifier as they are: no picture is looked at.

With text embeddings, the default, this is CLIP's zero-shot classifier (Radford et al. 2021).

    logits_c = s <f, t_c>

f: the embedding of a picture with length 1; t_c: row c of the cell's classifier; s: logit scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.protocols.method import MethodInputs
from harness.core.protocols.plugin import NoOptions

if TYPE_CHECKING:
    import torch

USES = ("classifier",)


@dataclass(frozen=True)
class State:
    """Rows of W, with the logit scale."""

    w_CD: torch.Tensor


def fit(inputs: MethodInputs, options: NoOptions) -> State:
    """Nothing is fitted."""
    return State(inputs.logit_scale * inputs.classifier())


def logits(z_ND: torch.Tensor, state: State) -> torch.Tensor:
    """logits_NC."""
    from torch.nn import functional as F

    return F.normalize(z_ND, dim=1) @ state.w_CD.T
