"""Weights of timm: the activation of a tag, and how pictures of a file without one are prepared."""

from __future__ import annotations

import pytest

from harness.core.errors import EncoderError
from harness.encoders._timm_tags import check_activation, check_preparation


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("vit_base_patch32_clip_224.openai", "vit_base_patch32_clip_quickgelu_224.openai"),
        ("vit_large_patch14_clip_336.openai", "vit_large_patch14_clip_quickgelu_336.openai"),
    ],
)
def test_weights_of_quickgelu_under_the_other_activation(name: str, other: str) -> None:
    import timm

    assert timm.is_model(other.partition(".")[0])
    with pytest.raises(EncoderError, match=f"trained with QuickGELU.*write timm:{other}$"):
        check_activation(name)
    check_activation(other)


@pytest.mark.parametrize(
    "name", ["vit_base_patch32_clip_224", "vit_base_patch32_clip_224.laion2b", "resnet18.a1_in1k"]
)
def test_weights_with_the_activation_of_their_architecture(name: str) -> None:
    check_activation(name)


def test_a_file_whose_preparation_is_not_clear() -> None:
    """Some weights of it were trained with a mean of 0.5, others with ImageNet's."""
    with pytest.raises(EncoderError, match=r"mean, std and crop.*timm:vit_base_patch16_224\.\w+@"):
        check_preparation("vit_base_patch16_224", "w.pt")
    check_preparation("vit_base_patch16_224.dino", "w.pt")
    for one_tag in ("test_resnet", "test_vit"):
        check_preparation(one_tag, "w.pt")
