"""Rows drawn from N(0, I) (Eq. 4): trivial correlations between classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._options import Options
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def check(cell: Cell, facts: CellFacts) -> str | None:
    return None


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD of independent standard normals."""
    import torch

    return torch.randn(inputs.n_classes, inputs.dim, generator=inputs.generator)
