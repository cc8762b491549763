"""The blocks of a ViT, whichever library built it, with a class token that mixes over time.

Supported are open_clip's VisionTransformer, CLIP's vision model of transformers and timm's
VisionTransformer, alone or as a tower of open_clip. Blocks are recognised by the names of their
parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Transformer:
    """`blocks` can be assigned to by index."""

    blocks: Any
    width: int  # C
    token_axis: int  # of what the blocks read: 1 for (N, L, C), 0 for (L, N, C)


@dataclass(frozen=True)
class Half:
    """A residual half of a pre-LN block: x + then(mix(norm(x))), by the names of its parts."""

    norm: str
    mix: str
    then: tuple[str, ...] = ()


#: Attention and MLP of the blocks that are supported.
BLOCKS = (
    (Half("ln_1", "attn", ("ln_attn", "ls_1")), Half("ln_2", "mlp", ("ls_2",))),  # open_clip, own
    (Half("ln_1", "attention", ("ls_1",)), Half("ln_2", "mlp", ("ls_2",))),  # open_clip
    (Half("layer_norm1", "self_attn"), Half("layer_norm2", "mlp")),  # transformers
    (Half("norm1", "attn", ("ls1", "drop_path1")), Half("norm2", "mlp", ("ls2", "drop_path2"))),
)


def transformer(module: Any) -> Transformer:
    """The blocks of a tower.

    Raises EncoderError for a tower without a class token, or one that is not supported.
    """
    tower = getattr(module, "trunk", module)  # open_clip's wrapping of timm
    if hasattr(tower, "transformer") and hasattr(tower, "class_embedding"):
        inner = tower.transformer
        token_axis = 1 if inner.batch_first else 0
        return Transformer(inner.resblocks, tower.class_embedding.numel(), token_axis)
    embeddings: Any = getattr(tower, "embeddings", None)
    if hasattr(tower, "encoder") and hasattr(embeddings, "class_embedding"):
        return Transformer(tower.encoder.layers, embeddings.class_embedding.numel(), 1)
    if hasattr(tower, "blocks") and getattr(tower, "cls_token", None) is not None:
        return Transformer(tower.blocks, tower.cls_token.numel(), 1)
    raise EncoderError(
        f"token_t1d needs a class token, and finds none in {type(tower).__name__}: take a ViT "
        "that has one, or t_trans"
    )


def with_token_conv(
    block: torch.nn.Module, over_time: torch.nn.Module, token_axis: int
) -> torch.nn.Module:
    """The block with `over_time` (on (N, C)) before each of its halves, on the first token.

    Raises EncoderError for a block that is not supported.
    """
    import torch
    from torch.utils.checkpoint import checkpoint

    attention, mlp = _halves(block)

    class TokenConvBlock(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.over_time = block, over_time

        def forward(self, x: torch.Tensor, *mask: Any, **masks: Any) -> torch.Tensor:
            if getattr(self.block, "gradient_checkpointing", False):  # by transformers
                kept: torch.Tensor = checkpoint(self._run, x, *mask, use_reentrant=False, **masks)
                return kept
            return self._run(x, *mask, **masks)

        def _run(self, x: torch.Tensor, *mask: Any, **masks: Any) -> torch.Tensor:
            x = _residual(self.block, attention, self._mixed(x), *mask, **masks)
            return _residual(self.block, mlp, self._mixed(x))

        def _mixed(self, x: torch.Tensor) -> torch.Tensor:
            token, patches = x.split([1, x.shape[token_axis] - 1], dim=token_axis)
            token = self.over_time(token.squeeze(token_axis)).unsqueeze(token_axis)
            return torch.cat([token, patches], dim=token_axis)

    return TokenConvBlock()


def _halves(block: Any) -> tuple[Half, Half]:
    for attention, mlp in BLOCKS:
        parts = [p for h in (attention, mlp) for p in (h.norm, h.mix, *h.then)]
        if all(hasattr(block, part) for part in parts):
            return attention, mlp
    raise EncoderError(f"token_t1d does not know blocks of the kind {type(block).__name__}")


def _residual(block: Any, half: Half, x: torch.Tensor, *mask: Any, **masks: Any) -> torch.Tensor:
    y = getattr(block, half.mix)(getattr(block, half.norm)(x), *mask, **masks)
    y = y[0] if isinstance(y, tuple) else y  # transformers returns attention's weights as well
    for part in half.then:
        y = getattr(block, part)(y)
    total: torch.Tensor = x + y
    return total
