"""TokenT1D: a convolution over time on the class token, in every block of a ViT (Table 2).

Each channel has its own kernel of 3 frames. It is used twice in a block, with the same weights:
on the block's input and again between attention and the MLP, both times on the residual stream.
The start is the authors' (whwu95/Text4Vis, modules/temporal_modeling.py), a temporal shift: the
first quarter of the channels reads the next frame, the second quarter the one before. Patches are
left alone. The embeddings of the frames are averaged afterwards, as by tap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.temporal import TemporalInputs
from harness.temporal import _vit
from harness.temporal._feasibility import needs_backbone
from harness.temporal._frame_conv import frame_conv, shift

if TYPE_CHECKING:
    import torch

PLACE = "backbone"
#: Channels in quarters: one looks ahead, one back, two stay.
PARTS = 4


def check(cell: Cell, facts: CellFacts) -> str | None:
    """It needs a ViT that is trained as a whole."""
    return needs_backbone(cell, facts, "token_t1d", "vit")


def insert(module: Any, inputs: TemporalInputs, options: NoOptions) -> list[torch.nn.Parameter]:
    """Change a ViT in place; the new parameters, one (C, 3) a block.

    Raises EncoderError for a tower without a class token, or one that is not supported.
    """
    tower = _vit.transformer(module)
    new: list[torch.nn.Parameter] = []
    for i, block in enumerate(tower.blocks):
        over_time = frame_conv(shift(tower.width, PARTS), inputs.frames)
        tower.blocks[i] = _vit.with_token_conv(block, over_time, tower.token_axis)
        new.extend(over_time.parameters())
    return new
