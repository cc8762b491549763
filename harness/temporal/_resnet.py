"""The residual branches of stride 16 and 32 in a convolutional tower.

Supported are open_clip's ModifiedResNet and timm's ResNet and EfficientNet, alone or as a tower of
open_clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Branch:
    """The first convolution of a residual branch, by its name in the block."""

    block: torch.nn.Module
    name: str
    first: torch.nn.Conv2d


def branches(module: Any) -> list[Branch]:
    """The residual branches of res4 and res5, in the order in which pictures pass them.

    Raises EncoderError for a tower that is not supported.
    """
    tower = getattr(module, "trunk", module)  # open_clip's wrapping of timm
    if hasattr(tower, "layer3") and hasattr(tower, "layer4"):
        blocks = [*tower.layer3, *tower.layer4]
    elif hasattr(tower, "conv_stem") and hasattr(tower, "blocks"):
        late = [block for stage in _late_stages(tower) for block in stage]
        # Without a shortcut there is no residual branch: the shift would change all that passes.
        blocks = [block for block in late if getattr(block, "has_skip", False)]
    else:
        raise EncoderError(f"t1d finds no res4 and res5 in {type(tower).__name__}")
    return [_branch(block) for block in blocks]


def _late_stages(tower: Any) -> Iterator[Any]:
    """The stages of an EfficientNet whose output is at stride 16 or more."""
    import torch

    stride = tower.conv_stem.stride[0]
    for stage in tower.blocks:
        stride *= prod(m.stride[0] for m in stage.modules() if isinstance(m, torch.nn.Conv2d))
        if stride >= 16:
            yield stage


def _branch(block: Any) -> Branch:
    import torch

    for name, part in block.named_children():
        if isinstance(part, torch.nn.Conv2d):
            return Branch(block, name, part)
    raise EncoderError(f"t1d does not know blocks of the kind {type(block).__name__}")
