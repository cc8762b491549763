"""Tiny towers with random weights, one of every kind that modules over time can be put into."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

TEXT = {"context_length": 8, "vocab_size": 16, "width": 8, "heads": 1, "layers": 1}
VIT = {"image_size": 16, "layers": 2, "width": 24, "head_width": 8, "patch_size": 8}


@dataclass(frozen=True)
class Tower:
    """An image encoder's torch module, pictures of the side that it reads, and its features."""

    module: Any
    size: int

    def features(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        found = self.module(x_NCHW)
        return found.pooler_output if hasattr(found, "pooler_output") else found

    def clips(self, number: int, frames: int) -> torch.Tensor:
        """(B*T, 3, H, W) of noise."""
        stream = torch.Generator().manual_seed(3)
        return torch.randn(number * frames, 3, self.size, self.size, generator=stream)


def tower(name: str) -> Tower:
    """An own copy: modules over time change it in place."""
    return deepcopy(_made(name))


@cache
def _made(name: str) -> Tower:
    torch.manual_seed(0)
    module, size = MAKERS[name]()
    stream = torch.Generator().manual_seed(1)
    with torch.no_grad():  # what starts at zero or one would hide a part that is left out
        for tensor in module.parameters():
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=stream))
    return Tower(module.eval(), size)


def _open_clip(**vision: Any) -> Any:
    from open_clip import CLIP

    return CLIP(embed_dim=16, vision_cfg=vision, text_cfg=TEXT).visual


def _tokens_first() -> Any:
    from open_clip.transformer import Transformer

    visual = _open_clip(**VIT)
    visual.transformer = Transformer(24, layers=2, heads=3, batch_first=False)
    return visual


def _transformers(kind: str) -> Any:
    import transformers

    shape = {
        "hidden_size": 24, "image_size": 16, "patch_size": 8, "num_hidden_layers": 2,
        "num_attention_heads": 3, "intermediate_size": 32,
    }  # fmt: skip
    config = getattr(transformers, f"{kind}VisionConfig")(**shape)
    return getattr(transformers, f"{kind}VisionModel")(config)


def _timm(name: str, **options: Any) -> Any:
    import timm

    return timm.create_model(name, pretrained=False, num_classes=0, **options)


#: name -> the module and the side of its pictures
MAKERS: dict[str, Callable[[], tuple[Any, int]]] = {
    "open_clip": lambda: (_open_clip(**VIT), 16),
    "open_clip tokens first": lambda: (_tokens_first(), 16),
    "open_clip own blocks": lambda: (_open_clip(**VIT, block_type="custom", scale_attn=True), 16),
    "transformers": lambda: (_transformers("CLIP"), 16),
    "timm": lambda: (_timm("test_vit", img_size=32), 32),
    "timm in open_clip": lambda: (
        _open_clip(image_size=160, timm_model_name="test_vit", timm_pool="token"), 160
    ),
    "siglip": lambda: (_transformers("Siglip"), 16),
    "timm without a class token": lambda: (_timm("test_vit2", img_size=32), 32),
    "timm other blocks": lambda: (_timm("eva02_tiny_patch14_224", img_size=28, depth=1), 28),
    "open_clip resnet": lambda: (_open_clip(image_size=64, layers=[1, 1, 2, 1], width=4), 64),
    "timm resnet": lambda: (_timm("test_resnet"), 64),
    "timm resnet in open_clip": lambda: (
        _open_clip(image_size=64, timm_model_name="test_resnet"), 64
    ),
    "embedded": lambda: (_timm("efficientnet_lite0"), 64),
    "convnext": lambda: (_timm("test_convnext"), 64),
}  # fmt: skip

VITS = ("open_clip", "open_clip tokens first", "open_clip own blocks", "transformers", "timm",
        "timm in open_clip")  # fmt: skip
RESNETS = ("open_clip resnet", "timm resnet", "timm resnet in open_clip", "embedded")

LATE = ((3, 1), (3, 2), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3))
#: The first convolutions of the residual branches of stride 16 and 32.
FIRST_CONVOLUTIONS = {
    "open_clip resnet": ["layer3.0.conv1", "layer3.1.conv1", "layer4.0.conv1"],
    "timm resnet": ["layer3.0.conv1", "layer4.0.conv1"],
    "timm resnet in open_clip": ["trunk.layer3.0.conv1", "trunk.layer4.0.conv1"],
    "embedded": [f"blocks.{i}.{j}.conv_pw" for i, j in LATE],
}
