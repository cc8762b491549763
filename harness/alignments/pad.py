"""Zeros behind the text's dimensions, where the text is narrower: correlations stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.alignment import AlignmentInputs

if TYPE_CHECKING:
    import torch

USES = ()


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check(cell: Cell, facts: CellFacts) -> str | None:
    text, dim = facts.encoder.text_dim, facts.encoder.dim
    if text is not None and text > dim:
        return f"alignment pad needs a text narrower than the pictures: {text} > {dim}"
    return None


def build(inputs: AlignmentInputs, options: Options) -> torch.Tensor:
    """map_ED: the first E rows of the identity of D."""
    import torch

    return torch.eye(inputs.text_dim, inputs.dim)
