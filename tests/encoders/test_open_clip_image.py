"""The visual tower of open_clip: sizes, preprocessing, and the projection that is taken off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import open_clip

from . import tiny
from .compare import assert_same, embedded, prepared


def test_it_resizes_positions_as_the_library_does(root: Path) -> None:
    import open_clip as library

    reference = tiny.open_clip_model(root / "size", tiny.VIT)
    file = reference.partition("@")[2]
    bigger = json.loads(json.dumps(tiny.VIT))
    bigger["vision_cfg"]["image_size"] = 48
    model = library.CLIP(**bigger).eval()
    library.load_checkpoint(model, file)
    encoder = open_clip.build_image(reference, open_clip.Options())
    encoder.resize(48)
    x_BCHW = prepared(encoder, [tiny.picture(s) for s in range(2)], 48)
    with torch.inference_mode():
        assert_same(embedded(encoder, x_BCHW), model.encode_image(x_BCHW))


def test_a_resnet_has_one_resolution(root: Path) -> None:
    reference = tiny.open_clip_model(root / "resnet", tiny.RESNET)
    assert open_clip.facts(reference, open_clip.Options()).fixed_resolution
    with pytest.raises(EncoderError, match="reads pictures of 64 only"):
        open_clip.build_image(reference, open_clip.Options()).resize(96)


def test_it_uses_the_preprocessing_of_its_config(root: Path) -> None:
    declared = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
    config = {"model_cfg": tiny.VIT, "preprocess_cfg": declared}
    reference = tiny.open_clip_model(root / "declared", config)
    encoder = open_clip.build_image(reference, open_clip.Options())
    white = tiny.picture().point(lambda _: 255)
    torch.testing.assert_close(encoder.preprocess(white, 32), torch.ones(3, 32, 32))


def test_the_projection_is_no_part_of_what_is_trained(root: Path) -> None:
    reference = tiny.open_clip_model(root / "apart", tiny.VIT)
    encoder = open_clip.build_image(reference, open_clip.Options())
    weight_DF, _ = encoder.projection()
    sizes = {tuple(p.shape) for p in encoder.module.parameters()}
    assert not {tuple(weight_DF.shape), tuple(weight_DF.T.shape)} & sizes
    assert encoder.module.proj is None


def test_a_tower_that_ends_otherwise_has_the_identity(root: Path) -> None:
    reference = tiny.open_clip_model(root / "map", tiny.TIMM_MAP)
    weight_DF, bias_D = open_clip.build_image(reference, open_clip.Options()).projection()
    assert torch.equal(weight_DF, torch.eye(64))
    assert bias_D is None
