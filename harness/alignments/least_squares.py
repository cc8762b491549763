"""The linear map that takes the training classes' texts nearest to the means of their pictures.

Fitted on the support set before training: embeddings are normalised, then averaged by class, and
the map of least norm is taken. Where the classes are fewer than the text's width it meets every
mean exactly, so on the training classes a text classifier is then that of the class means; only
classes that it was not fitted on say what the text itself is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.alignment import AlignmentInputs

if TYPE_CHECKING:
    import torch

USES = ("text", "support")


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check(cell: Cell, facts: CellFacts) -> str | None:
    if facts.per_class is None:
        return "alignment least_squares is fitted on training samples, and there are none"
    return None


def build(inputs: AlignmentInputs, options: Options) -> torch.Tensor:
    """map_ED = pinv(text_CE) mean_CD, in double precision."""
    import torch
    from torch.nn import functional as F

    text_CE, support_ND, labels_N = inputs.fitted_on()
    text_CE = F.normalize(text_CE, dim=-1).double()
    z_ND = F.normalize(support_ND, dim=-1).double()
    mean_CD = torch.stack([z_ND[labels_N == c].mean(dim=0) for c in range(len(text_CE))])
    map_ED: torch.Tensor = torch.linalg.pinv(text_CE) @ mean_CD
    return map_ED.float()
