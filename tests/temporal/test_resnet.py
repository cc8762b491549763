"""Residual branches of stride 16 and 32: where they are in every supported tower."""

from __future__ import annotations

import pytest

from harness.core.errors import EncoderError
from harness.temporal import _resnet

from .towers import FIRST_CONVOLUTIONS, RESNETS, tower


@pytest.mark.parametrize("name", RESNETS)
def test_the_first_convolution_of_every_branch(name: str) -> None:
    module = tower(name).module
    names = {part: path for path, part in module.named_modules()}
    branches = _resnet.branches(module)
    assert [names[branch.first] for branch in branches] == FIRST_CONVOLUTIONS[name]
    assert all(getattr(branch.block, branch.name) is branch.first for branch in branches)


@pytest.mark.parametrize(
    ("name", "kind"), [("open_clip", "VisionTransformer"), ("convnext", "ConvNeXt")]
)
def test_towers_without_them(name: str, kind: str) -> None:
    with pytest.raises(EncoderError, match=f"finds no res4 and res5 in {kind}"):
        _resnet.branches(tower(name).module)
