"""Control: the text embeddings given to the wrong classes.

Right directions, wrong names: what is left of the text's advantage when a class meets the text
of another. No class keeps its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._options import Options, needs_text
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


def check(cell: Cell, facts: CellFacts) -> str | None:
    if facts.n_classes < 2:
        return "one class cannot be given another's text"
    return needs_text(facts.encoder)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD: the rows of the text classifier, moved along one random cycle."""
    import torch

    order_C = torch.randperm(inputs.n_classes, generator=inputs.generator)
    shuffled_CD = torch.empty_like(inputs.text())
    shuffled_CD[order_C] = inputs.text()[order_C.roll(1)]
    return shuffled_CD
