"""Control: the text embeddings assigned to the wrong classes.

Right directions, wrong names: what is left of the text's advantage when every class has the text
of another. No class keeps its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


def check(cell: Cell, facts: CellFacts) -> str | None:
    """A shuffle without fixed points needs two classes."""
    if facts.n_classes < 2:
        return "one class cannot be given another's text"
    return None


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD: the rows of the text classifier, moved along one random cycle."""
    import torch

    # One cycle through all classes, and not any permutation: that would leave some in their place.
    order_C = torch.randperm(inputs.n_classes, generator=inputs.generator)
    shuffled_CD = torch.empty_like(inputs.text())
    shuffled_CD[order_C] = inputs.text()[order_C.roll(1)]
    return shuffled_CD
