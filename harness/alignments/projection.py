"""One fixed random Gaussian map from the text's width to the pictures' (Johnson-Lindenstrauss).

Entries are N(0, 1/D), drawn from the cell's seed: lengths and correlations between classes are
kept in expectation, and nothing is learnt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.alignment import AlignmentInputs

if TYPE_CHECKING:
    import torch

USES = ("seed",)


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check(cell: Cell, facts: CellFacts) -> str | None:
    return None


def build(inputs: AlignmentInputs, options: Options) -> torch.Tensor:
    """map_ED with E[|t map|^2] = |t|^2 for every text t."""
    import torch

    shape = (inputs.text_dim, inputs.dim)
    drawn_ED = torch.randn(shape, generator=inputs.generator)
    return drawn_ED.div(inputs.dim**0.5)
