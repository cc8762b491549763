"""What the tests hand to an alignment: five texts of width 12, pictures of width 64."""

from __future__ import annotations

import torch

from harness.core.cells import Cell, Choice
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.alignment import AlignmentInputs
from harness.core.protocols.plugin import NoOptions

C, E, D = 5, 12, 64
NONE = NoOptions()
CELL = Cell(Choice("emoji"), "full", Choice("x"), classifier=Choice("text"))


def inputs(seed: int = 0) -> AlignmentInputs:
    stream = torch.Generator().manual_seed(seed)
    text_CE = torch.randn(C, E, generator=stream)
    labels_N = torch.arange(C).repeat(3)
    support_ND = torch.randn(3 * C, D, generator=stream)
    return AlignmentInputs(E, D, stream, text_CE, support_ND, labels_N)


def facts(text_dim: int | None) -> CellFacts:
    return CellFacts(C, 3, EncoderFacts("w", "b", D, D, 32, 20.0, text_dim=text_dim))
