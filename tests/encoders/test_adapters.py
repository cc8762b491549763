"""What planning knows of attention that adapters fit is what is found in the tower itself."""

from __future__ import annotations

import pytest
import torch

from harness.encoders import _adapters
from harness.training.transformer_blocks import split_blocks

#: Models of timm, and whether their blocks have attention of a known kind: by their papers, one
#: matrix of q, k and v (ViT, DeiT, BEiT, EVA-02 with three) and not windows, convolutions or heads
#: that talk to each other.
MODELS = {
    "test_vit": True, "test_efficientnet": False, "test_convnext": False, "test_resnet": False,
    "deit3_small_patch16_224": True, "beit_base_patch16_224": True, "eva02_tiny_patch14_224": True,
    "swin_tiny_patch4_window7_224": False, "xcit_nano_12_p8_224": False, "mixer_s32_224": False,
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_models_of_timm(name: str) -> None:
    assert _adapters.of_timm_name(name) is MODELS[name]
    with torch.device("meta"):
        blocks, _ = split_blocks(_adapters.skeleton(name), ("mlp",))
    assert bool(blocks) is MODELS[name]


def test_text_models() -> None:
    """GPT-2 keeps q, k and v in a matrix of another layout; what is not known is found later."""
    assert _adapters.of_text_model({"model_type": "gpt2"}) is False
    assert _adapters.of_text_model({"model_type": "bert"}) is None
    assert _adapters.of_text_model({}) is None


@pytest.mark.parametrize("kind", ["bart", "gpt2", "opt", "modernbert"])
def test_text_models_of_another_kind_have_no_known_blocks(kind: str) -> None:
    from transformers import CONFIG_MAPPING, AutoModel

    config = CONFIG_MAPPING[kind]()
    with torch.device("meta"):
        model = AutoModel.from_config(config)
    assert kind in _adapters.OTHER_TEXT_MODELS
    assert split_blocks(model, ("mlp",))[0] == []
