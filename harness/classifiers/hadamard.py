"""Rows of a Hadamard matrix with random signs (Hoffer et al. 2018): orthogonal, of equal entries.

Every entry is +1/sqrt(D) or -1/sqrt(D), so that no coordinate counts more than another.
Sylvester's matrix has the order M, the smallest power of two from D on. The seed draws C of its M
rows, D of its M columns, and a sign for each column.

Where D is a power of two the rows are orthogonal. Otherwise M - D columns are left out, and the
cosine of two rows is at most (M - D) / D in size; over draws it has mean about 0 and standard
deviation sqrt((M - D) / (D (M - 1))): 0.03 for D = 384, 0.02 for D = 768.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.classifiers._dimensions import needs_room, width_of
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """With more classes than dimensions rows could be equal."""
    return needs_room(facts, "a Hadamard classifier", width_of(cell, facts))


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD with rows of length 1; needs C <= D."""
    import torch

    dim, stream = inputs.dim, inputs.generator
    bits = (dim - 1).bit_length()
    rows_C = torch.randperm(2**bits, generator=stream)[: inputs.n_classes]
    columns_D = torch.randperm(2**bits, generator=stream)[:dim]
    sign_D = 2 * torch.randint(2, (dim,), generator=stream) - 1
    # Entry (i, j) of Sylvester's matrix is -1 to the number of bits that i and j share.
    shared_CD = _bits(rows_C, bits) @ _bits(columns_D, bits).T
    w_CD: torch.Tensor = (1 - 2 * (shared_CD % 2)) * sign_D / dim**0.5
    return w_CD


def _bits(numbers_N: torch.Tensor, bits: int) -> torch.Tensor:
    """(N, bits): the binary digits of numbers, as floats, which multiply faster."""
    import torch

    return (numbers_N[:, None] >> torch.arange(bits) & 1).float()
