"""Embeddings of the class texts by the text encoder (the paper's Eq. 6).

Computed once, offline: the text tower is not in the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text",)


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD: row i is the embedding of class i."""
    return inputs.text()
