"""T1D: a convolution over time for every channel by itself, in res4 and res5 of a ResNet (Table 2).

The paper calls it a common strategy and shows no code. Here it is where TSM and MVFNet (of the
paper's first author) put theirs: before the first convolution of every residual branch, so the
shortcut is not changed. The embeddings of the frames are averaged afterwards, as by tap.

`start: shift` is how TSM and TDN, which the paper cites for it, begin: an eighth of the channels
reads the next frame, an eighth the one before. It changes the pretrained features at once, which
fits what the paper reports (67.18 against 71.20 of TAP: T1D may break them). `start: identity`
leaves them unchanged until training has moved the weights; a few hundred steps do not move them
far enough to see the order of the frames.

res4 and res5 are the stages of stride 16 and 32: layer3 and layer4 of a ResNet of open_clip or
timm, and blocks.3 to blocks.6 of an EfficientNet such as the embedded EfficientNet-Lite0, whose
blocks without a shortcut (the first of each of these stages) are left out, as TSM does in
MobileNetV2: 7 blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.temporal import TemporalInputs
from harness.temporal import _resnet
from harness.temporal._feasibility import needs_backbone
from harness.temporal._frame_conv import frame_conv, identity, shift

if TYPE_CHECKING:
    import torch

PLACE = "backbone"
#: Channels in eighths: one looks ahead, one back, six stay.
PARTS = 8


class Options(BaseModel):
    """start: shift | identity, how the weights begin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Literal["shift", "identity"] = "shift"


def check(cell: Cell, facts: CellFacts) -> str | None:
    """It needs a convolutional backbone that is trained."""
    return needs_backbone(cell, facts, "t1d", "resnet")


def insert(module: Any, inputs: TemporalInputs, options: Options) -> list[torch.nn.Parameter]:
    """Change a ResNet in place; the new parameters, one (C, 3) a residual block.

    Raises EncoderError for a tower that is not supported.
    """
    import torch

    new: list[torch.nn.Parameter] = []
    for branch in _resnet.branches(module):
        channels = branch.first.in_channels
        start_C3 = identity(channels) if options.start == "identity" else shift(channels, PARTS)
        over_time = frame_conv(start_C3, inputs.frames)
        setattr(branch.block, branch.name, torch.nn.Sequential(over_time, branch.first))
        new.extend(over_time.parameters())
    return new
