"""Which towers have blocks that LoRA knows, beside those of test_lora, and which have none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from open_clip.transformer import VisionTransformer as OpenClipViT
from timm.layers import SwiGLU
from timm.models import vision_transformer as vit
from timm.models.eva import Eva
from timm.models.swin_transformer import SwinTransformer
from torch import nn

from harness.training.transformer_blocks import TARGETS, split_blocks

SHARED = {
    "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
    "vocab_size": 32, "max_position_embeddings": 16,
}  # fmt: skip
TEXTS: dict[str, dict[str, Any]] = {
    "Roberta": SHARED,
    "XLMRoberta": SHARED,
    "Electra": SHARED | {"embedding_size": 12},
    "MPNet": SHARED,
    "NomicBert": SHARED,
    "Qwen2": SHARED | {"num_key_value_heads": 2},
    "DistilBert": {"vocab_size": 32, "dim": 12, "n_layers": 2, "n_heads": 2, "hidden_dim": 16},
}
VIT: dict[str, Any] = {
    "img_size": 16, "patch_size": 8, "embed_dim": 12, "depth": 2, "num_heads": 2, "num_classes": 0,
}  # fmt: skip


def text_model(name: str, **settings: Any) -> Any:
    config = getattr(transformers, f"{name}Config")(**settings)
    return transformers.AutoModel.from_config(config).eval()


def mean(output: Any) -> torch.Tensor:
    hidden: torch.Tensor = getattr(output, "last_hidden_state", output)
    return hidden


def all_blocks_are_known(module: nn.Module, x: torch.Tensor, mlp_layers: int) -> None:
    """Two blocks with every layer, in order, and the outputs that it had."""
    with torch.no_grad():
        expected = mean(module(x))
        blocks, _ = split_blocks(module, TARGETS)
        torch.testing.assert_close(mean(module(x)), expected, rtol=1e-5, atol=1e-6)
    assert [len(block.layers[target]) for block in blocks for target in TARGETS] == [
        1, 1, 1, 1, mlp_layers,
    ] * 2  # fmt: skip
    paths = [path for block in blocks for target in TARGETS for path in block.layers[target]]
    assert len(set(paths)) == len(paths)
    assert all(isinstance(module.get_submodule(path), nn.Linear) for path in paths)
    names = [name for name, _ in module.named_modules()]
    firsts = [names.index(block.layers["q"][0]) for block in blocks]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("name", TEXTS)
def test_text_towers_of_transformers(name: str) -> None:
    gated = name in ("Qwen2", "NomicBert")
    all_blocks_are_known(text_model(name, **TEXTS[name]), torch.arange(3, 11)[None], 2 + gated)


IMAGES: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "ViT": (vit.VisionTransformer, VIT),
    "norm behind": (vit.VisionTransformer, VIT | {"block_fn": vit.ResPostBlock}),
    "gated MLP": (vit.VisionTransformer, VIT | {"mlp_layer": SwiGLU}),
    "EVA": (Eva, VIT),
    "EVA-02": (Eva, VIT | {"qkv_fused": False, "swiglu_mlp": True, "scale_mlp": True}),
}


@pytest.mark.parametrize("name", IMAGES)
def test_image_towers_of_timm(name: str) -> None:
    kind, settings = IMAGES[name]
    gated = name in ("gated MLP", "EVA-02")
    all_blocks_are_known(kind(**settings).eval(), torch.ones(2, 3, 16, 16), 2 + gated)


def test_open_clips_own_blocks() -> None:
    module = OpenClipViT(
        16, 8, 12, 2, 2, 2.0, output_dim=8, block_type="custom", qk_norm=True, scale_fc=True
    )
    all_blocks_are_known(module.eval(), torch.ones(2, 3, 16, 16), 2)


def test_the_mlp_alone_leaves_the_attention_as_it_is() -> None:
    module = vit.VisionTransformer(**VIT)
    blocks, splits = split_blocks(module, ("mlp",))
    assert len(blocks) == 2
    assert not splits
    assert isinstance(module.get_submodule("blocks.0.attn.qkv"), nn.Linear)


def test_towers_without_known_blocks() -> None:
    """Windows, q k v and MLP in one matrix, attention in parallel, shared or relative layers."""
    swin = {"img_size": 32, "patch_size": 4, "embed_dim": 12, "depths": (1, 1), "num_heads": (2, 2)}
    towers = [
        SwinTransformer(**swin, window_size=4, num_classes=0),
        vit.VisionTransformer(**VIT, block_fn=vit.ParallelScalingBlock),
        vit.VisionTransformer(**VIT, block_fn=vit.ParallelThingsBlock),
        text_model("GPT2", n_embd=12, n_layer=1, n_head=2, vocab_size=32, bos_token_id=1,
                   eos_token_id=2),
        text_model("Albert", **SHARED, embedding_size=12),
        text_model("DebertaV2", **SHARED),
    ]  # fmt: skip
    for tower in towers:
        names = list(tower.state_dict())
        assert split_blocks(tower, TARGETS) == ([], {})
        assert list(tower.state_dict()) == names
