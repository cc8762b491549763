"""timm: facts and features, against the library itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import timm as timm_encoder

from . import tiny
from .compare import NONE, assert_same, embedded, prepared


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_it_equals_the_library(root: Path, name: str) -> None:
    import timm
    from safetensors.torch import load_file

    reference = tiny.timm_model(root / name, name)
    facts = timm_encoder.facts(reference, NONE)
    encoder = timm_encoder.build_image(reference, NONE)
    library = timm.create_model(name).eval()
    library.load_state_dict(load_file(root / name / "weights.safetensors"))
    x_BCHW = prepared(encoder, [tiny.picture(s) for s in range(2)], facts.resolution)
    with torch.inference_mode():
        expected = library.forward_head(library.forward_features(x_BCHW), pre_logits=True)
        assert_same(embedded(encoder, x_BCHW), expected)
        encoder.resize(96)
        assert encoder.features(torch.randn(1, 3, 96, 96)).shape == (1, facts.feature_dim)
    assert facts.text_dim is None
    assert timm_encoder.READS == ("pictures",)


def test_it_reads_a_checkpoint_without_a_classifier(root: Path) -> None:
    name, _, file = tiny.timm_model(root / "whole", "test_vit").partition("@")
    from safetensors.torch import load_file

    tensors = {k: v for k, v in load_file(file).items() if not k.startswith("head.")}
    torch.save({"state_dict": tensors}, root / "bare.pt")
    x_BCHW = torch.randn(2, 3, 160, 160)
    with torch.inference_mode():
        whole, bare = (
            timm_encoder.build_image(f"{name}@{path}", NONE).features(x_BCHW)
            for path in (file, root / "bare.pt")
        )
    assert torch.equal(whole, bare)


def test_facts_know_which_share_is_cropped(root: Path) -> None:
    """What timm declares: pictures of 160 pixels are cut out of 168."""
    from timm.data import create_transform, resolve_data_config

    reference = tiny.timm_model(root / "test_vit_crop", "test_vit")
    facts = timm_encoder.facts(reference, NONE)
    assert facts.crop_share == 0.95
    module = timm_encoder.build_image(reference, NONE).module
    resized = create_transform(**resolve_data_config({}, model=module), is_training=False)
    assert resized.transforms[0].size == int(facts.resolution / facts.crop_share)


@pytest.mark.parametrize(
    ("name", "tower"),
    [
        ("test_vit", "vit"), ("test_resnet", "resnet"), ("test_efficientnet", "resnet"),
        ("test_convnext", "other"), ("test_vit3", "other"),
    ],
)  # fmt: skip
def test_facts_name_the_kind_of_tower(root: Path, name: str, tower: str) -> None:
    """test_vit3 has no class token."""
    reference = tiny.timm_model(root / name, name)
    assert timm_encoder.facts(reference, NONE).tower == tower


def test_weights_of_another_model(root: Path) -> None:
    tiny.timm_model(root / "shape", "test_vit")
    file = root / "shape" / "weights.safetensors"
    with pytest.raises(EncoderError, match="is no checkpoint of timm's test_resnet"):
        timm_encoder.build_image(f"test_resnet@{file}", NONE)


def test_a_name_that_timm_does_not_know() -> None:
    with pytest.raises(EncoderError, match="Did you mean 'resnet18'"):
        timm_encoder.facts("resnet_18", NONE)
    with pytest.raises(EncoderError, match="write timm:NAME or timm:NAME@FILE"):
        timm_encoder.facts("resnet18@", NONE)


def test_a_file_of_ones_own_needs_no_fetching() -> None:
    assert timm_encoder.fetch("resnet18@weights.pt", NONE) is False


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"there is no file .*gone\.pth"):
        timm_encoder.facts(f"resnet18@{tmp_path / 'gone.pth'}", NONE)
