"""Embeddings of the class texts by the text encoder (the paper's Eq. 6).

Computed once, offline: the text tower is not in the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._options import Options, needs_text
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs

if TYPE_CHECKING:
    import torch

USES = ("text",)


def check(cell: Cell, facts: CellFacts) -> str | None:
    return needs_text(facts.encoder)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD: row i is the embedding of class i."""
    return inputs.text()
