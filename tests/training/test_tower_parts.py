"""The parts of towers that are tuned: which tensors they are, and one part after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from encoders import tiny
from torch import nn

from harness.core.cells import LoraSpec
from harness.core.errors import CellError
from harness.core.protocols.plugin import NoOptions
from harness.encoders import embedded, open_clip
from harness.encoders import timm as timm_images
from harness.training.pictures import Pictures
from harness.training.tower_parts import (
    FROZEN,
    IMAGE,
    WHOLE,
    Adapted,
    Chosen,
    Tuned,
    TunedTower,
    tune,
)
from harness.training.training_views import Sampling
from harness.training.tuned import TunedBackbone

from .grey import GreyPictures
from .towers import Towers

NORM, BIAS = Tuned("norm"), Tuned("bias")
ROWS = torch.tensor([4, 0, 9, 2])


def lora(seed: int = 0, **changes: Any) -> Tuned:
    return Tuned("lora", LoraSpec(**({"dropout": 0.5} | changes)), seed)


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Towers:
    torch.set_num_threads(1)
    return Towers(tmp_path_factory.mktemp("towers"))


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    reference = tiny.open_clip_model(tmp_path_factory.mktemp("resnet"), tiny.RESNET)
    return open_clip.build_image(reference, open_clip.Options()).module


def numel(tensors: list[torch.Tensor]) -> int:
    return sum(t.numel() for t in tensors)


def trained(module: Any) -> list[str]:
    return [name for name, tensor in module.named_parameters() if tensor.requires_grad]


# --- which tensors -------------------------------------------------------------------------------

# Width w of a tower with two blocks. Layer norms: two a block, and those before and after (SigLIP's
# pooling has one more). Biases of a block: q, k, v and o (4 w), and the MLP's two layers.
VIT, TEXT_VIT, CLIP, TEXT_CLIP, SIGLIP, BERT = 24, 8, 20, 8, 16, 12
COUNTS = {
    "open_clip image": (6 * 2 * VIT, 2 * (4 + 4 + 1) * VIT + 6 * VIT),
    "open_clip text": (5 * 2 * TEXT_VIT, 2 * (4 + 4 + 1) * TEXT_VIT + 5 * TEXT_VIT),
    "clip image": (6 * 2 * CLIP, 2 * (5 * CLIP + 24) + 6 * CLIP),
    "clip text": (5 * 2 * TEXT_CLIP, 2 * (5 * TEXT_CLIP + 24) + 5 * TEXT_CLIP),
    # The patches and the pooling (q, k, v, o and an MLP) have biases too.
    "siglip image": (6 * 2 * SIGLIP, 3 * (5 * SIGLIP + 24) + 7 * SIGLIP),
    # The last linear layer, to 16, has a bias.
    "siglip text": (5 * 2 * TEXT_CLIP, 2 * (5 * TEXT_CLIP + 24) + 5 * TEXT_CLIP + 16),
    "bert": (5 * 2 * BERT, 2 * (5 * BERT + 16) + 5 * BERT),
}


@pytest.mark.parametrize("name", COUNTS)
def test_layer_norms_and_biases_by_hand(towers: Towers, name: str) -> None:
    norms, biases = COUNTS[name]
    module = towers(name).module
    assert numel(tune(module, NORM, IMAGE).tensors()) == norms
    inside = {
        f"{path}.{leaf}"
        for path, layer in module.named_modules()
        if isinstance(layer, nn.LayerNorm)
        for leaf in ("weight", "bias")
    }
    assert set(trained(module)) == inside, "and nothing else requires a gradient"
    part = tune(module, BIAS, IMAGE)
    assert numel(part.tensors()) == biases
    assert all(tensor.ndim == 1 for tensor in part.tensors())
    assert trained(module) == [n for n, _ in module.named_parameters() if n.endswith("bias")]


def test_batch_norms_of_a_resnet_by_hand(resnet: Any) -> None:
    """Three in the stem; per stage of planes p two of p, and two of 4 p. The pooling's q, k and v,
    of 32 x 4, have biases.
    """
    channels = 2 + 2 + 4 + (1 + 1 + 4 + 4) * (4 + 8 + 16 + 32)
    assert numel(tune(resnet, NORM, IMAGE).tensors()) == 2 * channels
    part = tune(resnet, BIAS, IMAGE)
    names = trained(resnet)
    pooling = [name for name in names if name.startswith("attnpool")]
    assert sorted(pooling) == [f"attnpool.{part}_proj.bias" for part in "kqv"]
    assert numel(part.tensors()) == channels + 3 * 32 * 4


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext"])
def test_towers_of_timm(tmp_path: Path, name: str) -> None:
    reference = tiny.timm_model(tmp_path, name)
    module = timm_images.build_image(reference, NoOptions()).module
    kinds = (nn.LayerNorm, nn.BatchNorm2d)
    layers = [layer for layer in module.modules() if isinstance(layer, kinds)]
    expected = {id(t) for layer in layers for t in layer.parameters()}
    assert {id(t) for t in tune(module, NORM, IMAGE).tensors()} == expected
    assert len(expected) == 2 * len(layers) > 10


def test_the_embedded_towers() -> None:
    """EfficientNet-Lite0: a batch norm after each of 49 convolutions, none of which has a bias.
    MiniLM: two layer norms in each of its blocks, and one after the embeddings.
    """
    image = embedded.build_image("lit-emoji", NoOptions()).module
    convolutions = [m for m in image.modules() if isinstance(m, nn.Conv2d)]
    channels = sum(m.out_channels for m in convolutions)
    assert len(convolutions) == 49
    assert numel(tune(image, NORM, IMAGE).tensors()) == 2 * channels
    assert numel(tune(image, BIAS, IMAGE).tensors()) == channels
    text = embedded.build_text("lit-emoji", NoOptions()).module
    blocks = len(text.encoder.layer)
    assert numel(tune(text, NORM, "text").tensors()) == (2 * blocks + 1) * 2 * 384
    # q, k, v, o, and an MLP of 4 x 384.
    of_block = 4 * 384 + 4 * 384 + 384 + 2 * 384
    assert numel(tune(text, BIAS, "text").tensors()) == blocks * of_block + 384


def test_rms_norms_have_scales_alone_and_t5_no_bias(towers: Towers) -> None:
    module = towers("t5").module
    assert numel(tune(module, NORM, "text").tensors()) == 5 * 12
    with pytest.raises(CellError, match=r"^tuning: bias: the text tower has no bias$"):
        tune(module, BIAS, "text")
    with pytest.raises(CellError, match="the image tower has no normalisation layer"):
        tune(nn.Linear(2, 2), NORM, IMAGE)


@pytest.mark.parametrize("tuning", ["none", "head", "prompt", "projection"])
def test_nothing_in_the_tower(towers: Towers, tuning: str) -> None:
    module = towers("open_clip image").module
    assert tune(module, Tuned(tuning), IMAGE).tensors() == []
    assert trained(module) == []


def test_adapters_of_the_other_tower_freeze_this_one(towers: Towers) -> None:
    module = towers("open_clip image").module
    assert isinstance(tune(module, lora(towers=("text",)), IMAGE), Chosen)
    assert trained(module) == []
    assert isinstance(tune(module, lora(towers=("text",)), "text"), Adapted)
    assert len(trained(module)) == 2 * 3 * 2


def test_running_statistics_stay_while_scales_move(resnet: Any) -> None:
    """The backbone is in evaluation mode while it is trained."""
    encoder = open_clip_images(resnet)
    source = TunedBackbone(encoder, no_pictures(), ["1"], Sampling(0, None), "cpu")
    source.tune(NORM)
    before = {name: tensor.clone() for name, tensor in source.state().items()}
    optimiser = torch.optim.SGD(source.pretrained(), lr=0.1)
    x_NCHW = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for _ in range(2):
        optimiser.zero_grad()
        source.module(x_NCHW).square().mean().backward()
        optimiser.step()
    moved = {name for name, tensor in source.state().items() if not tensor.equal(before[name])}
    norms = {path for path, m in source.module.named_modules() if isinstance(m, nn.BatchNorm2d)}
    assert moved == {f"{path}.{leaf}" for path in norms for leaf in ("weight", "bias")}
    assert any("running_var" in name for name in before)


def open_clip_images(module: Any) -> Any:
    class Encoder:
        def __init__(self) -> None:
            self.module = module

        def features(self, x_NCHW: torch.Tensor) -> Any:
            return self.module(x_NCHW)

        def normalise(self, x_NCHW: torch.Tensor) -> torch.Tensor:
            return x_NCHW

    return Encoder()


def no_pictures() -> Pictures:
    return Pictures(GreyPictures(), open_clip_images(None), 8)


# --- one part after another ----------------------------------------------------------------------


def moved(part: Any, by: float = 0.1) -> None:
    with torch.no_grad():
        for number, tensor in enumerate(part.tensors()):
            stream = torch.Generator().manual_seed(number)
            tensor.add_(by * torch.randn(tensor.shape, generator=stream))


@pytest.mark.parametrize(
    "name", ["open_clip image", "open_clip text", "clip image", "timm", "bert"]
)
def test_what_earlier_parts_learnt_stays_and_is_saved(towers: Towers, name: str) -> None:
    """Adapters, then norms, then everything: the state has the first names throughout, and a fresh
    tower that loads it computes the same.
    """
    tower, kind = towers(name), towers(name).kind
    names = list(tower.module.state_dict())
    tuned = TunedTower(tower.module, lora(), kind)
    for following in (NORM, WHOLE, FROZEN):
        moved(tuned.part)
        before = tower.read().detach()
        tuned.tune(following)
        torch.testing.assert_close(tower.read().detach(), before, atol=1e-5, rtol=1e-5)
        fresh = towers(name)
        assert list(tuned.state()) == names
        fresh.module.load_state_dict(tuned.state())
        torch.testing.assert_close(fresh.read().detach(), before, atol=1e-5, rtol=1e-5)
    assert tuned.is_trained
    assert trained(tower.module) == []


def test_everything_after_adapters_has_no_adapters(towers: Towers) -> None:
    tower = towers("open_clip image")
    tuned = TunedTower(tower.module, lora(), IMAGE)
    count = numel(list(towers("open_clip image").module.parameters()))
    tuned.tune(WHOLE)
    assert numel(tuned.part.tensors()) == count


def test_there_is_no_dropout_in_a_stage_after_adapters(towers: Towers) -> None:
    tower = towers("open_clip image")
    tuned = TunedTower(tower.module, lora(), IMAGE)
    moved(tuned.part)
    plain = tower.read().detach()
    tuned.part.begin(1, ROWS)
    assert not torch.allclose(tower.read().detach(), plain, atol=1e-3)
    tuned.tune(NORM)
    torch.testing.assert_close(tower.read().detach(), plain, atol=1e-5, rtol=1e-5)
    assert not tuned.part.draws


def test_the_same_part_again_goes_on(towers: Towers) -> None:
    """A stage that tunes what the model was built with keeps its adapters."""
    tower = towers("open_clip image")
    tuned = TunedTower(tower.module, lora(), IMAGE)
    part = tuned.part
    tuned.tune(lora())
    assert tuned.part is part
    assert len(trained(tower.module)) == 2 * 3 * 2


def test_a_share_of_the_adapters(towers: Towers) -> None:
    """W + a s B A: 0 is the tower before, 1 what was trained, and the scaling is put back."""
    tower = towers("clip image")
    before = tower.read().detach()
    tuned = TunedTower(tower.module, lora(), IMAGE)
    moved(tuned.part)
    after, whole = tower.read().detach(), tuned.state()
    first = towers("clip image").module.state_dict()
    with tuned.part.between(0.0):
        torch.testing.assert_close(tower.read().detach(), before, atol=1e-5, rtol=1e-5)
    with tuned.part.between(0.25):
        for name, tensor in tuned.state().items():
            torch.testing.assert_close(tensor, first[name].lerp(whole[name], 0.25))
    torch.testing.assert_close(tower.read().detach(), after, atol=0, rtol=0)


# --- recomputed blocks ---------------------------------------------------------------------------


def test_recomputing_switches_on_no_dropout_of_the_tower(towers: Towers) -> None:
    """Transformers recomputes in training mode alone, in which its attention drops too."""
    tower = towers("clip image")
    for layer in tower.module.encoder.layers:
        layer.self_attn.dropout = 0.5
    source = TunedBackbone(tower.encoder, no_pictures(), ["1"], Sampling(0, None), "cpu")
    x_NCHW = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def gradients() -> list[torch.Tensor]:
        source.module.zero_grad()
        source.features(x_NCHW).square().sum().backward()
        return [t.grad.clone() for t in source.module.parameters() if t.grad is not None]

    plain = gradients()
    source.recompute()
    calls: list[int] = []
    mlp = source.module.encoder.layers[0].mlp
    mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    for again, first in zip(gradients(), plain, strict=True):
        torch.testing.assert_close(again, first, atol=1e-5, rtol=1e-5)
    assert len(calls) == 2, "once forwards, and once again on the way back"
