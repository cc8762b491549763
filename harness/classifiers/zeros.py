"""W = 0, where all classes are equally likely: the reference start of a linear head.

The loss of a linear head on frozen features is convex, so what other starts reach differs from what
this one reaches by early stopping alone. A row of zeros has no direction, so a cosine head and a
classifier that is not trained cannot have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ()


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Only a linear head that is trained can start from zeros."""
    if facts.linear_head:
        return None
    return "a row of zeros has no direction: it is the start of a linear head (tuning: head)"


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD of zeros."""
    import torch

    return torch.zeros(inputs.n_classes, inputs.dim)
