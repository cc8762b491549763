"""The linear map that takes the training classes' texts nearest to the means of their pictures.

Fitted on the support set before training: embeddings are normalised, then averaged by class, and
the map of least norm is taken. Where the classes are fewer than the text's width it meets every
mean exactly, so on the training classes a text classifier then equals that of the class means; only
classes that it was not fitted on say what the text itself is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.alignment import AlignmentInputs
from harness.core.protocols.plugin import NoOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "support")


def build(inputs: AlignmentInputs, options: NoOptions) -> torch.Tensor:
    """map_ED = pinv(text_CE) mean_CD, in double precision."""
    import torch
    from torch.nn import functional as F

    text_CE, support_ND, labels_N = inputs.fitted_on()
    text_CE = F.normalize(text_CE, dim=-1).double()
    z_ND = F.normalize(support_ND, dim=-1).double()
    mean_CD = torch.stack([z_ND[labels_N == c].mean(dim=0) for c in range(len(text_CE))])
    # The pseudo-inverse gives the least-squares map with many classes, and the one of least norm
    # among the exact ones with few.
    map_ED: torch.Tensor = torch.linalg.pinv(text_CE) @ mean_CD
    return map_ED.float()
