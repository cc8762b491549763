"""The loss of a head that classifies: what vision_only and vision_text share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def classified(logits_BC: torch.Tensor, y_B: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy, the mean over the batch; and the logits without a graph."""
    from torch.nn import functional as F

    return F.cross_entropy(logits_BC, y_B), logits_BC.detach()
