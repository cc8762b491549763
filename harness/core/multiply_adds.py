"""Multiply-adds of an encoder: from its architecture, or counted once and kept in the cache.

Planning counts the operations of a training with them, so nothing here loads torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.core.cache import cached_json, kept_json

#: Operations of a training step per multiply-add of the forward pass: two for the forward pass,
#: four for the gradients of inputs and weights; and operations where there is no gradient.
TRAINED, ONLY_READ = 6, 2


def transformer_macs(layers: int, width: int, tokens: int, mlp: float = 4.0) -> float:
    """Of a transformer on so many tokens: its linear layers and the products of attention."""
    linear = (4 + 2 * mlp) * width**2
    return layers * (tokens * linear + 2 * tokens**2 * width)


def vit_macs(
    layers: int, width: int, patch: int, resolution: int, dim: int, mlp: float = 4.0
) -> float:
    """Of a ViT with a class token for one image, with the projection of that token to `dim`."""
    patches = (resolution // patch) ** 2
    embedding, projection = patches * 3 * patch**2 * width, width * dim
    return embedding + transformer_macs(layers, width, patches + 1, mlp) + projection


def clip_resnet_macs(blocks: Sequence[int], width: int, resolution: int, dim: int) -> float:
    """Of a ResNet of CLIP for one image: a stem of three convolutions, bottlenecks that average
    before they stride, and attention over all positions in place of the pooling.
    """
    stem = 3 * width // 2 + (width // 2) ** 2 + width**2 // 2
    macs, side, before = 9 * stem * (resolution // 2) ** 2, resolution // 4, width
    for stage, number in enumerate(blocks):
        planes = width * 2**stage
        for block in range(number):
            macs += (before * planes + 9 * planes**2) * side**2
            side //= 2 if block == 0 and stage > 0 else 1
            macs += 4 * planes**2 * side**2
            macs += 4 * planes * before * side**2 if block == 0 else 0
            before = 4 * planes
    tokens = side**2 + 1
    return macs + tokens * before * (3 * before + dim) + 2 * tokens**2 * before


def counted(backbone: str, resolution: int, count: Callable[[], float | None]) -> float | None:
    """What `count` gives for the encoder with this content hash: counted once, and kept."""
    macs: float | None = cached_json("multiply_adds", _key(backbone, resolution), count)
    return macs


def known(backbone: str, resolution: int) -> float | None:
    """What was counted before, if it was."""
    macs = kept_json("multiply_adds", _key(backbone, resolution))
    return float(macs) if isinstance(macs, int | float) and macs > 0 else None


def _key(backbone: str, resolution: int) -> str:
    return f"{backbone} {resolution}"
