"""token_t1d and t1d in every kind of tower, against forwards that are written out by hand."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.errors import CellError, EncoderError
from harness.core.protocols.temporal import TemporalInputs
from harness.temporal import t1d, token_t1d
from harness.temporal._frame_conv import frame_conv, identity, shift

from .towers import RESNETS, VITS, Tower, tower

B, T = 2, 3
PLUGINS: dict[str, Any] = {"token_t1d": token_t1d, "t1d": t1d}
EVERY = [*(("token_t1d", n) for n in VITS), *(("t1d", n) for n in RESNETS)]


def insert(plugin: Any, found: Tower, frames: int = T, **options: Any) -> list[torch.nn.Parameter]:
    inputs = TemporalInputs(16, frames, torch.Generator().manual_seed(0))
    return plugin.insert(found.module, inputs, plugin.Options(**options))


def shaken(parameters: list[torch.nn.Parameter]) -> None:
    stream = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for value in parameters:
            value.add_(0.3 * torch.randn(value.shape, generator=stream))


def features(found: Tower, frames: int = T) -> torch.Tensor:
    with torch.no_grad():
        return found.features(found.clips(B, frames))


# --- the convolution ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(7,), (7, 4, 5)])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frame_conv_is_a_depthwise_convolution(shape: tuple[int, ...], frames: int) -> None:
    stream = torch.Generator().manual_seed(0)
    start_C3 = torch.randn(7, 3, generator=stream)
    x_NC = torch.randn(B * frames, *shape, generator=stream)
    rows_BCTR = x_NC.reshape(B, frames, 7, -1).transpose(1, 2)
    expected = F.conv2d(rows_BCTR, start_C3[:, None, :, None], padding=(1, 0), groups=7)
    found = frame_conv(start_C3, frames)(x_NC)
    torch.testing.assert_close(found, expected.transpose(1, 2).reshape(x_NC.shape))


def test_starts() -> None:
    x_NC = torch.arange(1.0, 1 + 2 * T * 9).reshape(2 * T, 9)
    assert torch.equal(frame_conv(identity(9), T)(x_NC), x_NC)
    expected = x_NC.clone()  # of 9 channels a quarter is 2
    for clip in range(2):
        for t in range(T):
            row = clip * T + t
            expected[row, :2] = x_NC[row + 1, :2] if t < T - 1 else 0
            expected[row, 2:4] = x_NC[row - 1, 2:4] if t > 0 else 0
    assert torch.equal(frame_conv(shift(9, 4), T)(x_NC), expected)


def test_frame_conv_keeps_the_precision_of_its_input() -> None:
    conv = frame_conv(shift(8, 4), T)
    assert conv(torch.ones(T, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16


# --- token_t1d against forwards by hand -----------------------------------------------------------


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
    new = insert(token_t1d, changed)
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


# --- t1d ------------------------------------------------------------------------------------------

LATE = ((3, 1), (3, 2), (4, 1), (4, 2), (5, 1), (5, 2), (5, 3))
#: The convolutions that frames are mixed before.
PLACES = {
    "open_clip resnet": ["layer3.0.conv1", "layer3.1.conv1", "layer4.0.conv1"],
    "timm resnet": ["layer3.0.conv1", "layer4.0.conv1"],
    "timm resnet in open_clip": ["trunk.layer3.0.conv1", "trunk.layer4.0.conv1"],
    "embedded": [f"blocks.{i}.{j}.conv_pw" for i, j in LATE],
}


@pytest.mark.parametrize("name", RESNETS)
def test_t1d_with_the_identity_changes_nothing(name: str) -> None:
    changed = tower(name)
    assert len(insert(t1d, changed, start="identity")) == len(PLACES[name])
    torch.testing.assert_close(features(changed), features(tower(name)), atol=0, rtol=0)


@pytest.mark.parametrize("name", RESNETS)
def test_t1d_equals_hooks_before_the_convolutions(name: str) -> None:
    hooked, changed = tower(name), tower(name)
    new = insert(t1d, changed)
    starts = [shift(len(w), 8) for w in new]
    assert all(torch.equal(w, start) for w, start in zip(new, starts, strict=True))
    shaken(new)

    def over_time(weight_C3: torch.Tensor) -> Any:
        def hook(conv: torch.nn.Module, args: tuple[torch.Tensor]) -> torch.Tensor:
            x_NCHW = args[0]
            x_BCTHW = x_NCHW.unflatten(0, (B, T)).transpose(1, 2)
            kernel = weight_C3[:, None, :, None, None]
            y_BCTHW = F.conv3d(x_BCTHW, kernel, padding=(1, 0, 0), groups=len(weight_C3))
            return y_BCTHW.transpose(1, 2).flatten(0, 1)

        return hook

    plain = features(hooked)
    for place, weight_C3 in zip(PLACES[name], new, strict=True):
        hooked.module.get_submodule(place).register_forward_pre_hook(over_time(weight_C3))
    expected = features(hooked)
    assert float((expected - plain).abs().max()) > 1e-3
    torch.testing.assert_close(features(changed), expected, atol=1e-5, rtol=1e-4)


# --- both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_new_parameters_are_those_of_the_changed_tower(plugin: str, name: str) -> None:
    found = tower(name)
    old = list(found.module.parameters())
    new = insert(PLUGINS[plugin], found)
    ids = [id(p) for p in found.module.parameters()]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(p) for p in (*old, *new)}
    assert len(ids) == len(old) + len(new)


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_gradients_reach_old_and_new_parameters(plugin: str, name: str) -> None:
    found = tower(name)
    new = insert(PLUGINS[plugin], found)
    z_BTD = found.features(found.clips(B, T)).unflatten(0, (B, T))
    z_BTD.mean(dim=1).square().sum().backward()
    for weight_C3 in new:
        assert weight_C3.grad is not None
        reached_C3 = weight_C3.grad != 0
        assert bool(reached_C3.any(dim=0).all())
        assert plugin == "t1d" or bool(reached_C3.all())  # behind a dead ReLU are no gradients
    assert all(p.grad is not None for p in found.module.parameters())


def averaged(found: Tower, x_BTCHW: torch.Tensor) -> torch.Tensor:
    """z_BD: the mean over the frames of clips."""
    with torch.no_grad():
        return found.features(x_BTCHW.flatten(0, 1)).unflatten(0, (-1, T)).mean(dim=1)


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_the_order_of_the_frames_is_seen(plugin: str, name: str) -> None:
    found = tower(name)
    x_BTCHW = found.clips(B, T).unflatten(0, (B, T))
    assert float((averaged(found, x_BTCHW) - averaged(found, x_BTCHW.flip(1))).abs().max()) < 2e-6
    insert(PLUGINS[plugin], found)
    z_BD = averaged(found, x_BTCHW)
    assert float((z_BD - averaged(found, x_BTCHW.flip(1))).abs().max()) > 5e-5
    # A clip knows nothing of the others in its batch.
    torch.testing.assert_close(z_BD[:1], averaged(found, x_BTCHW[:1]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_copies_and_saved_weights_give_the_same(plugin: str, name: str, tmp_path: Path) -> None:
    found, fresh = tower(name), tower(name)
    shaken(insert(PLUGINS[plugin], found))
    insert(PLUGINS[plugin], fresh)
    expected = features(found)
    assert not torch.equal(features(fresh), expected)
    torch.save(found.module.state_dict(), tmp_path / "weights.pt")
    fresh.module.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(features(fresh), expected)
    copy = deepcopy(found)
    assert torch.equal(features(copy), expected)
    shaken(list(copy.module.parameters()))
    assert torch.equal(features(found), expected)
    assert not torch.equal(features(copy), expected)


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_one_frame_and_clips_that_are_not_whole(plugin: str, name: str) -> None:
    single, found = tower(name), tower(name)
    insert(PLUGINS[plugin], single, frames=1)
    assert bool(features(single, frames=1).isfinite().all())
    insert(PLUGINS[plugin], found)
    with pytest.raises(CellError, match="4 pictures are no whole clips of 3 frames"):
        found.features(found.clips(1, 4))


@pytest.mark.parametrize("name", ["open_clip", "transformers", "timm"])
def test_blocks_can_be_recomputed(name: str) -> None:
    kept, found = tower(name), tower(name)
    gradients = []
    for each in (kept, found):
        new = insert(token_t1d, each)
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


@pytest.mark.parametrize(
    ("plugin", "name", "word"),
    [
        ("token_t1d", "siglip", "needs a class token, and finds none in SiglipVisionModel"),
        ("token_t1d", "timm without a class token", "finds none in VisionTransformer"),
        ("token_t1d", "embedded", "finds none in EfficientNet"),
        ("token_t1d", "timm other blocks", "does not know blocks of the kind EvaBlock"),
        ("t1d", "open_clip", "finds no res4 and res5 in VisionTransformer"),
        ("t1d", "convnext", "finds no res4 and res5 in ConvNeXt"),
    ],
)
def test_towers_that_cannot_be(plugin: str, name: str, word: str) -> None:
    with pytest.raises(EncoderError, match=word):
        insert(PLUGINS[plugin], tower(name))
