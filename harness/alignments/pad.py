"""Zeros behind the text's dimensions, where the text is narrower: correlations stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.alignment import AlignmentInputs
from harness.core.protocols.plugin import NoOptions

if TYPE_CHECKING:
    import torch

USES = ()


def check(cell: Cell, facts: CellFacts) -> str | None:
    """A wider text would lose dimensions."""
    text, dim = facts.encoder.text_dim, facts.encoder.dim
    if text is not None and text > dim:
        return f"alignment pad needs a text narrower than the pictures: {text} > {dim}"
    return None


def build(inputs: AlignmentInputs, options: NoOptions) -> torch.Tensor:
    """map_ED: the first E rows of the identity of D."""
    import torch

    return torch.eye(inputs.text_dim, inputs.dim)
