"""The blocks of a ViT: which towers and blocks are supported, and what is said of others."""

from __future__ import annotations

import pytest

from harness.core.errors import EncoderError
from harness.temporal import _vit

from .towers import VITS, tower


@pytest.mark.parametrize("name", VITS)
def test_a_supported_tower_has_its_blocks_and_width(name: str) -> None:
    transformer = _vit.transformer(tower(name).module)
    assert len(transformer.blocks) == (6 if "timm" in name else 2)
    assert transformer.width == (64 if "timm" in name else 24)
    assert transformer.token_axis == (0 if name == "open_clip tokens first" else 1)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("siglip", "needs a class token, and finds none in SiglipVisionModel"),
        ("timm without a class token", "finds none in VisionTransformer"),
        ("embedded", "finds none in EfficientNet"),
    ],
)
def test_towers_without_a_class_token(name: str, word: str) -> None:
    with pytest.raises(EncoderError, match=word):
        _vit.transformer(tower(name).module)


def test_blocks_that_are_not_supported() -> None:
    blocks = _vit.transformer(tower("timm other blocks").module).blocks
    with pytest.raises(EncoderError, match="does not know blocks of the kind EvaBlock"):
        _vit.with_token_conv(blocks[0], blocks[0], 1)
