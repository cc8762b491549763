"""Control: the text embeddings under one random rotation.

Right correlations between classes, wrong directions: what the correlations alone are worth,
without the alignment of text and image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._rotations import random_rotation
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD = text_CD Q with Q orthogonal (D, D): the Gram matrix stays the same."""
    # Q depends on the seed and D alone: in zero-shot the classes trained on and those tested turn
    # the same way.
    return inputs.text() @ random_rotation(inputs.dim, inputs.generator)
