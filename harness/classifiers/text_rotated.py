"""Control: the text embeddings under one random rotation.

Right correlations between classes, wrong directions: what the correlations alone are worth,
without the alignment of text and image.
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
    return needs_text(facts.encoder)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD = text_CD Q with Q orthogonal (D, D): the Gram matrix stays the same."""
    import torch

    u_DD = torch.randn(inputs.dim, inputs.dim, generator=inputs.generator)
    q_DD: torch.Tensor = torch.linalg.qr(u_DD).Q
    return inputs.text() @ q_DD
