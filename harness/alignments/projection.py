"""One fixed random Gaussian map from the text's width to the pictures' (Johnson-Lindenstrauss).

Entries are N(0, 1/D), drawn from the cell's seed: lengths and correlations between classes are
kept in expectation, and nothing is learned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.protocols.alignment import AlignmentInputs
from harness.core.protocols.plugin import NoOptions

if TYPE_CHECKING:
    import torch

USES = ("seed",)


def build(inputs: AlignmentInputs, options: NoOptions) -> torch.Tensor:
    """map_ED with E[|t map|^2] = |t|^2 for every text t."""
    import torch

    drawn_ED = torch.randn((inputs.text_dim, inputs.dim), generator=inputs.generator)
    return drawn_ED.div(inputs.dim**0.5)
