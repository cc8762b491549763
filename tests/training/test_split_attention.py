"""Attention with q, k and v in layers of their own does what it did before."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from open_clip.transformer import Attention
from timm.models.swin_transformer import WindowAttention
from torch import nn

from harness.training.split_attention import SplitMultihead, SplitOpenClip, is_fused, split

N, L, S, D, H = 3, 5, 7, 12, 2


def drawn(module: nn.Module) -> Any:
    """The module with other values everywhere, its norms and biases too."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.add_(0.3 * torch.randn(tensor.shape, generator=generator))
    return module.eval()


def inputs(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def bits(*shape: int) -> torch.Tensor:
    """A mask that hides keys, never all of them."""
    mask = inputs(*shape) > 0.5
    mask[..., 0] = False
    return mask


MASKS: dict[str, dict[str, torch.Tensor]] = {
    "none": {},
    "causal": {"attn_mask": torch.full((L, S), -torch.inf).triu(1)},
    "bits": {"attn_mask": bits(L, S)},
    "of every head": {"attn_mask": bits(N * H, L, S)},
    "added to every head": {"attn_mask": inputs(N * H, L, S)},
    "padding": {"key_padding_mask": bits(N, S)},
    "both": {"attn_mask": inputs(L, S), "key_padding_mask": bits(N, S).float() * -9},
}


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mask", MASKS)
def test_multihead_attention(mask: str, bias: bool, batch_first: bool) -> None:
    before = drawn(nn.MultiheadAttention(D, H, bias=bias, batch_first=batch_first))
    query, key, value = inputs(N, L, D), inputs(N, S, D), inputs(N, S, D) ** 2
    if not batch_first:
        query, key, value = (x.transpose(0, 1) for x in (query, key, value))
    settings: Any = {"need_weights": False, **MASKS[mask]}
    expected, _ = before(query, key, value, **settings)
    after = split(before, nn.Identity())
    assert isinstance(after, SplitMultihead)
    actual, weights = after(query, key, value, **settings)
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-6)
    assert weights is None


def test_it_has_no_weights_to_give() -> None:
    after = split(nn.MultiheadAttention(D, H), nn.Identity())
    with pytest.raises(ValueError, match="no attention weights"):
        after(inputs(L, N, D), inputs(L, N, D), inputs(L, N, D))


OWN: list[dict[str, Any]] = [
    {},
    {"qkv_bias": False},
    {"qk_norm": True, "scale_heads": True, "inner_norm": True},
]


@pytest.mark.parametrize("settings", OWN)
@pytest.mark.parametrize("mask", [None, "causal", "bits"])
def test_open_clips_own_attention(settings: dict[str, Any], mask: str | None) -> None:
    before = drawn(Attention(D, H, **settings))
    masks = {
        "causal": torch.full((L, L), -torch.inf).triu(1), "bits": bits(N * H, L, L), None: None,
    }  # fmt: skip
    expected = before(inputs(N, L, D), masks[mask])
    after = split(before, nn.Identity())
    assert isinstance(after, SplitOpenClip)
    torch.testing.assert_close(after(inputs(N, L, D), masks[mask]), expected, rtol=1e-6, atol=1e-6)


def attention_of_timm(name: str) -> Any:
    from timm.layers import AttentionRope
    from timm.layers.attention import Attention as Plain
    from timm.layers.diff_attention import DiffAttention
    from timm.models.beit import Attention as Beit
    from timm.models.eva import EvaAttention

    norm: Any = {"norm_layer": nn.LayerNorm}
    return {
        "plain": lambda: Plain(D, H, qkv_bias=True, qk_norm=True, gated=True, **norm),
        "no bias": lambda: Plain(D, H, qkv_bias=False),
        "rope": lambda: AttentionRope(D, H, **norm),
        "differential": lambda: DiffAttention(D, H, qkv_bias=True, depth=1),
        "eva": lambda: EvaAttention(D, H, **norm),
        "eva apart": lambda: EvaAttention(D, H, qkv_bias_separate=True, **norm),
        "beit": lambda: Beit(D, H, qkv_bias=True, window_size=(2, 2)),
    }[name]()


@pytest.mark.parametrize(
    "name", ["plain", "no bias", "rope", "differential", "eva", "eva apart", "beit"]
)
def test_attention_of_timm(name: str) -> None:
    attention = drawn(attention_of_timm(name))
    expected = attention(inputs(N, L, D))
    assert is_fused(attention.qkv, attention)
    attention.qkv = split(attention.qkv, attention)
    torch.testing.assert_close(attention(inputs(N, L, D)), expected, rtol=1e-6, atol=1e-6)
    # Every layer is read through: a change of each moves the output.
    for part in attention.qkv.parts():
        before = attention(inputs(N, L, D))
        with torch.no_grad():
            part.weight.mul_(1.5)
        assert not torch.allclose(attention(inputs(N, L, D)), before, rtol=1e-3, atol=1e-3)


def test_what_is_not_known() -> None:
    assert not is_fused(nn.MultiheadAttention(D, H, kdim=5), nn.Identity())
    assert not is_fused(nn.MultiheadAttention(D, H, add_bias_kv=True), nn.Identity())
    assert not is_fused(nn.MultiheadAttention(D, H, add_zero_attn=True), nn.Identity())
    assert not is_fused(Attention(D, H, scaled_cosine=True), nn.Identity())
    window = WindowAttention(D, H, window_size=2)
    assert not is_fused(window.qkv, window)


def test_nothing_is_drawn_from_the_global_stream() -> None:
    before = torch.get_rng_state()
    fused = nn.MultiheadAttention(D, H)
    torch.set_rng_state(before)
    split(fused, nn.Identity())
    assert torch.equal(torch.get_rng_state(), before)
