"""token_t1d in every kind of ViT, against forwards that are written out by hand."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from harness.temporal._frame_conv import identity, shift

from .backbone import TOKEN_T1D, B, T, features, insert, shaken
from .towers import VITS, Tower, tower


def token_conv(x_NLC: torch.Tensor, weight_C3: torch.Tensor) -> torch.Tensor:
    """The class token convolved over time, the patches as they are."""
    token_BCT = x_NLC[:, 0].reshape(B, T, -1).transpose(1, 2)
    mixed_BCT = F.conv1d(token_BCT, weight_C3[:, None], padding=1, groups=len(weight_C3))
    out_NLC = x_NLC.clone()
    out_NLC[:, 0] = mixed_BCT.transpose(1, 2).reshape(B * T, -1)
    return out_NLC


def by_hand(name: str, found: Tower, weights: list[torch.Tensor]) -> torch.Tensor:
    """Features of a pristine tower with `weights`, one (C, 3) a block."""
    m = found.module
    x_NCHW = found.clips(B, T)
    if name.startswith("open_clip"):
        x = m._embeds(x_NCHW)
        for block, w in zip(m.transformer.resblocks, weights, strict=True):
            if name == "open_clip own blocks":
                x = token_conv(x, w)
                x = x + block.ln_attn(block.attn(block.ln_1(x)))
            elif name == "open_clip tokens first":
                x = token_conv(x, w)
                n = block.ln_1(x).transpose(0, 1)
                x = x + block.attn(n, n, n, need_weights=False)[0].transpose(0, 1)
            else:
                x = token_conv(x, w)
                n = block.ln_1(x)
                x = x + block.attn(n, n, n, need_weights=False)[0]
            x = token_conv(x, w)
            x = x + block.mlp(block.ln_2(x))
        return m.ln_post(x)[:, 0] @ m.proj
    if name == "transformers":
        x = m.pre_layrnorm(m.embeddings(x_NCHW))
        for block, w in zip(m.encoder.layers, weights, strict=True):
            x = token_conv(x, w)
            x = x + block.self_attn(block.layer_norm1(x))[0]
            x = token_conv(x, w)
            x = x + block.mlp(block.layer_norm2(x))
        return m.post_layernorm(x[:, 0])
    trunk = getattr(m, "trunk", m)
    x = trunk.norm_pre(trunk._pos_embed(trunk.patch_embed(x_NCHW)))
    for block, w in zip(trunk.blocks, weights, strict=True):
        x = token_conv(x, w)
        x = x + block.ls1(block.attn(block.norm1(x)))
        x = token_conv(x, w)
        x = x + block.ls2(block.mlp(block.norm2(x)))
    pooled = trunk.forward_head(trunk.norm(x))
    return m.head(pooled) if hasattr(m, "trunk") else pooled


@pytest.mark.parametrize("name", VITS)
def test_token_t1d_equals_a_forward_by_hand(name: str) -> None:
    pristine, changed = tower(name), tower(name)
    new = insert(TOKEN_T1D, changed)
    with torch.no_grad():
        before = by_hand(name, pristine, [identity(len(w)) for w in new])
        torch.testing.assert_close(features(pristine), before, atol=1e-5, rtol=1e-5)
        start = by_hand(name, pristine, [shift(len(w), 4) for w in new])
        torch.testing.assert_close(features(changed), start, atol=1e-5, rtol=1e-5)
        assert float((start - before).abs().max()) > 0.01
        shaken(new)
        trained = by_hand(name, pristine, list(new))
        torch.testing.assert_close(features(changed), trained, atol=1e-5, rtol=1e-5)
        assert float((trained - start).abs().max()) > 0.01


@pytest.mark.parametrize("name", ["open_clip", "transformers", "timm"])
def test_blocks_can_be_recomputed(name: str) -> None:
    kept, found = tower(name), tower(name)
    gradients = []
    for each in (kept, found):
        new = insert(TOKEN_T1D, each)
        calls = []
        for part in each.module.modules():
            if type(part).__name__ == "FrameConv":
                part.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        if each is found and name == "transformers":
            each.module.activation_checkpointing_enable()
            each.module.train()
        elif each is found:
            each.module.set_grad_checkpointing(True)
        each.features(each.clips(B, T)).square().sum().backward()
        assert len(calls) == len(new) * (4 if each is found else 2)
        gradients.append([w.grad for w in new])
    torch.testing.assert_close(*gradients)
