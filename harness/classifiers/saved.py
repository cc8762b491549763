"""The W of saved weights: the classifier of the training that `init` names, row by row as it was.

It needs `init`, and the classes of the saved W in the same order. Whether its rows count by their
length (`normalise`) is as in the training that saved it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.core.errors import BadInput
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("saved",)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Raises BadInput without `init`."""
    if cell.init is None:
        raise BadInput("saved is the W of saved weights: name them under init")
    if cell.tuning == "head":
        return "a head on frozen features does not start from a saved W"
    return None


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD as it was saved."""
    return inputs.saved().clone()
