"""Control: the text embeddings under one random rotation.

Right correlations between classes, wrong directions: what the correlations alone are worth,
without the alignment of text and image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD = text_CD Q with Q orthogonal (D, D): the Gram matrix stays the same."""
    import torch

    # Q depends on the seed and D alone: in zero-shot the classes trained on and those tested turn
    # the same way.
    u_DD = torch.randn(inputs.dim, inputs.dim, generator=inputs.generator)
    q_DD: torch.Tensor = torch.linalg.qr(u_DD).Q
    return inputs.text() @ q_DD
