"""Attention with q, k and v in one matrix, rewritten with a linear layer for each.

The outputs are those of the module before, up to rounding. N samples, L queries, S keys, H heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from harness.encoders._adapters import TIMM_FUSED

OPEN_CLIP_FUSED = ("open_clip.transformer", "Attention")


class Split(nn.Module):
    """Linear layers q_proj, k_proj and v_proj, cut out of one matrix."""

    #: Tensors of the module before: the name there, and that in each of the three layers.
    FUSED: ClassVar[Mapping[str, str]] = {
        "in_proj_weight": "weight", "in_proj_bias": "bias",
    }  # fmt: skip

    def __init__(self, weight_3DF: torch.Tensor, bias_3D: torch.Tensor | None) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = thirds(weight_3DF, bias_3D)

    def parts(self) -> tuple[nn.Module, ...]:
        return self.q_proj, self.k_proj, self.v_proj


class SplitLinear(Split):
    """In place of the layer `qkv` of timm's attention."""

    FUSED: ClassVar[Mapping[str, str]] = {"weight": "weight", "bias": "bias"}

    def __init__(self, fused: nn.Linear) -> None:
        super().__init__(fused.weight, fused.bias)

    def forward(self, x_NLF: torch.Tensor) -> torch.Tensor:
        """(N, L, 3D)."""
        return torch.cat([self.q_proj(x_NLF), self.k_proj(x_NLF), self.v_proj(x_NLF)], dim=-1)


class SplitMultihead(Split):
    """In place of nn.MultiheadAttention, for callers that want no attention weights."""

    def __init__(self, fused: nn.MultiheadAttention) -> None:
        super().__init__(fused.in_proj_weight, fused.in_proj_bias)
        self.num_heads, self.dropout = fused.num_heads, fused.dropout
        self.batch_first, self.out_proj = fused.batch_first, fused.out_proj

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        key_padding_mask: torch.Tensor | None = None,
        need_weights: bool = True,
        attn_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, None]:
        """(N, L, D), or (L, N, D) unless batch_first, and None for the weights.

        Raises ValueError where the weights are asked for.
        """
        if need_weights:
            raise ValueError("attention with LoRA gives no attention weights")
        q_NHLE = self._heads(self.q_proj(query))
        mask = _added(attn_mask, q_NHLE)
        if key_padding_mask is not None:
            padding_N11S = _added(key_padding_mask, q_NHLE)[:, None, None]
            mask = padding_N11S if mask is None else mask + padding_N11S
        x_NHLE = F.scaled_dot_product_attention(
            q_NHLE, self._heads(self.k_proj(key)), self._heads(self.v_proj(value)),
            attn_mask=mask, dropout_p=self.dropout if self.training else 0.0,
        )  # fmt: skip
        x_NLD = x_NHLE.transpose(1, 2).flatten(2)
        return self.out_proj(x_NLD if self.batch_first else x_NLD.transpose(0, 1)), None

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """(N, H, L, E)."""
        x_NLD = x if self.batch_first else x.transpose(0, 1)
        x_NHLE: torch.Tensor = x_NLD.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        return x_NHLE


class SplitOpenClip(Split):
    """In place of open_clip's own Attention, which may normalise q, k, the heads and their sum."""

    def __init__(self, fused: Any) -> None:
        super().__init__(fused.in_proj_weight, fused.in_proj_bias)
        self.num_heads, self.attn_drop, self.head_scale = (
            fused.num_heads, fused.attn_drop, fused.head_scale,
        )  # fmt: skip
        self.ln_q, self.ln_k, self.ln_inner = fused.ln_q, fused.ln_k, fused.ln_inner
        self.out_proj, self.out_drop = fused.out_proj, fused.out_drop

    def forward(self, x: torch.Tensor, attn_mask: torch.Tensor | None = None) -> torch.Tensor:
        """(N, L, D)."""
        q_NHLE, k_NHLE, v_NHLE = (
            layer(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for layer in self.parts()
        )
        x_NHLE = F.scaled_dot_product_attention(
            self.ln_q(q_NHLE), self.ln_k(k_NHLE), v_NHLE, attn_mask=_added(attn_mask, q_NHLE),
            dropout_p=self.attn_drop.p if self.training else 0.0,
        )  # fmt: skip
        if self.head_scale is not None:
            x_NHLE = x_NHLE * self.head_scale
        x_NLD = self.ln_inner(x_NHLE.transpose(1, 2).flatten(2))
        out_NLD: torch.Tensor = self.out_drop(self.out_proj(x_NLD))
        return out_NLD


def is_fused(module: Any, parent: Any) -> bool:
    """Whether `split` can rewrite this part of `parent`."""
    if isinstance(module, nn.MultiheadAttention):
        plain = module.in_proj_weight is not None and module.bias_k is None
        return plain and not module.add_zero_attn
    if isinstance(module, nn.Linear):
        return _name(parent) in TIMM_FUSED
    # With scaled_cosine open_clip multiplies matrices in a way of its own.
    return _name(module) == OPEN_CLIP_FUSED and module.logit_scale is None


def split(module: Any, parent: Any) -> Split:
    """A module to put into `parent` in place of one that `is_fused`."""
    if isinstance(module, nn.MultiheadAttention):
        return SplitMultihead(module)
    if not isinstance(module, nn.Linear):
        return SplitOpenClip(module)
    if getattr(parent, "q_bias", None) is not None:
        # Else it adds its biases in a call that reads the weight alone, past the adapters.
        parent.qkv_bias_separate = True
    return SplitLinear(module)


def _name(module: Any) -> tuple[str, str]:
    return type(module).__module__, type(module).__name__


def thirds(weight_3DF: torch.Tensor, bias_3D: torch.Tensor | None) -> list[nn.Linear]:
    """Linear layers of q, k and v."""
    weights = weight_3DF.detach().chunk(3)
    biases = [None] * 3 if bias_3D is None else bias_3D.detach().chunk(3)
    return [_linear(weight, bias) for weight, bias in zip(weights, biases, strict=True)]


def _linear(weight_DF: torch.Tensor, bias_D: torch.Tensor | None) -> nn.Linear:
    """Without values first: torch would draw them from the global stream."""
    width_out, width_in = weight_DF.shape
    layer = nn.Linear(width_in, width_out, bias=bias_D is not None, device="meta")
    layer.weight = nn.Parameter(weight_DF.clone())
    if bias_D is not None:
        layer.bias = nn.Parameter(bias_D.clone())
    return layer


def _added(mask: Any, q_NHLE: torch.Tensor) -> Any:
    """A mask that is added to the logits, of any that nn.MultiheadAttention takes: True, there,
    means that a key is not seen, and three dimensions are (N x H, L, S).
    """
    if mask is None:
        return None
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=q_NHLE.dtype).masked_fill_(mask, -torch.inf)
    mask = mask.to(q_NHLE.dtype)
    return mask.unflatten(0, q_NHLE.shape[:2]) if mask.ndim == 3 else mask
