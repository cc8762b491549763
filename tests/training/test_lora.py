"""LoRA in towers of every family: against the formula written out, and what it must not change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from encoders import tiny
from open_clip.transformer import Transformer
from torch.func import functional_call

from harness.core.cells import LoraSpec
from harness.core.errors import CellError
from harness.core.protocols.plugin import NoOptions
from harness.core.text_context import TextContext
from harness.encoders import embedded, open_clip
from harness.encoders import timm as timm_images
from harness.training.lora import Adapters

from .towers import WRITERS, Tower, Towers

NO_DROPOUT = LoraSpec(dropout=0.0)
ALL = ("q", "k", "v", "o", "mlp")
NAMES = list(WRITERS)
ROWS = torch.tensor([12, 5, 700, 3])


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Towers:
    torch.set_num_threads(1)
    return Towers(tmp_path_factory.mktemp("towers"))


def adapted(tower: Tower, spec: LoraSpec = NO_DROPOUT, *, moved: bool = True) -> Adapters:
    """Adapters in the tower; with B off zero, as after some steps, if `moved`."""
    adapters = Adapters(tower.module, spec, 0, tower.kind)
    if moved:
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for tensor in adapters.tensors()[1::2]:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) / 4)
    return adapters


def read(tower: Tower, *numbers: int) -> torch.Tensor:
    with torch.no_grad():
        return tower.read(*numbers)


def states(tower: Tower) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tower.module.state_dict().items()}


def loss(z_ND: torch.Tensor) -> torch.Tensor:
    """A sum over the samples that is linear in nothing."""
    return z_ND.float().tanh().square().sum()


def gradients(adapters: Adapters) -> list[torch.Tensor]:
    found = []
    for tensor in adapters.tensors():
        assert tensor.grad is not None
        found.append(tensor.grad.clone())
        tensor.grad = None
    return found


def close(actual: Any, expected: Any, bound: float = 1e-5) -> None:
    """Equal up to rounding, measured by the largest value of a tensor."""
    for a, b in zip(actual, expected, strict=True):
        largest = float(b.detach().abs().max())
        torch.testing.assert_close(a.detach(), b.detach(), rtol=0, atol=bound * largest + 1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_tower_starts_as_it_was(towers: Towers, name: str) -> None:
    """In float64 its outputs are equal but for rounding, and the state dict is the one before."""
    tower = towers(name)
    tower.module.double()
    expected, before = read(tower), states(tower)
    stream = torch.get_rng_state()
    adapters = adapted(tower, LoraSpec(targets=ALL), moved=False)
    assert torch.equal(torch.get_rng_state(), stream)
    torch.testing.assert_close(read(tower), expected, rtol=1e-11, atol=1e-11)
    merged = adapters.merged()
    assert list(merged) == list(before)
    assert all(torch.equal(merged[key], before[key]) for key in before)
    trained = {id(tensor) for tensor in adapters.tensors()}
    assert {id(p) for p in tower.module.parameters() if p.requires_grad} == trained


def plain_names(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Weights of q, k and v by the names that the libraries give them, fused ones too."""
    parts = (
        ".in_proj_weight", ".qkv.weight", ".q_proj.weight", ".k_proj.weight", ".v_proj.weight",
        ".query.weight", ".key.weight", ".value.weight", "Attention.q.weight",
        "Attention.k.weight", "Attention.v.weight",
    )  # fmt: skip
    # SigLIP's pooling is no block, and timm's pooling has no such name.
    return [name for name in state if name.endswith(parts) and "head.attention" not in name]


@pytest.mark.parametrize("name", NAMES)
def test_q_k_and_v_have_adapters_of_their_own(towers: Towers, name: str) -> None:
    """W + (alpha / sqrt r) B A for each of the three, also where they are thirds of one matrix."""
    tower = towers(name)
    before = states(tower)
    adapters = adapted(tower, LoraSpec(rank=3, alpha=2.0, targets=("v", "q", "k")))
    pairs = list(zip(adapters.tensors()[::2], adapters.tensors()[1::2], strict=True))
    updates = [2 / math.sqrt(3) * (b_DR @ a_RF) for a_RF, b_DR in pairs]
    merged, changed = adapters.merged(), plain_names(before)
    assert len({a_RF.detach().numpy().tobytes() for a_RF, _ in pairs}) == len(pairs)
    thirds = [
        third
        for key in sorted(changed, key=_order)
        for third in (merged[key] - before[key]).chunk(_thirds(key))
    ]
    close(thirds, updates)
    assert all(torch.equal(merged[key], before[key]) for key in set(before) - set(changed))


def _thirds(name: str) -> int:
    return 3 if name.endswith((".in_proj_weight", ".qkv.weight")) else 1


def _order(name: str) -> tuple[list[int], int]:
    """Blocks by their numbers, and in a block q before k before v."""
    leaf = name.split(".")[-2]
    return [int(part) for part in name.split(".") if part.isdigit()], "qkv".find(leaf[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_that_of_the_formula(towers: Towers, name: str) -> None:
    """Against plain torch on W + (alpha / sqrt r) B A, put into the tower as it was: two steps of
    gradient descent on A and B.
    """
    tower, plain = towers(name), towers(name)
    adapters = adapted(tower)
    mine = adapters.tensors()
    reference = [tensor.detach().clone().requires_grad_() for tensor in mine]
    for _ in range(2):
        loss(tower.read()).backward()
        with_formula(plain, reference).backward()
        expected = [tensor.grad for tensor in reference]
        close([tensor.grad for tensor in mine], expected, 1e-4)
        with torch.no_grad():
            for tensor in (*mine, *reference):
                assert tensor.grad is not None
                tensor.sub_(0.05 * tensor.grad)
                tensor.grad = None
    close(mine, reference)


def with_formula(plain: Tower, tensors: list[torch.Tensor]) -> torch.Tensor:
    """The loss of the tower with W + 1/sqrt(2) B A in place of W."""
    state = dict(plain.module.state_dict())
    deltas = iter([b @ a / math.sqrt(2) for a, b in zip(tensors[::2], tensors[1::2], strict=True)])
    for key in sorted(plain_names(state), key=_order):
        state[key] = state[key] + torch.cat([next(deltas) for _ in range(_thirds(key))])
    assert next(deltas, None) is None
    inner = plain.module

    class Called(torch.nn.Module):
        """The tower's module, which calls itself with these tensors."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self) -> torch.Tensor:
            return loss(plain.read())

    result: torch.Tensor = functional_call(
        Called(), {f"inner.{key}": tensor for key, tensor in state.items()}, ()
    )
    return result


@pytest.mark.parametrize("name", NAMES)
def test_merged_weights_make_a_plain_tower_the_adapted_one(towers: Towers, name: str) -> None:
    tower, plain, half = towers(name), towers(name), towers(name)
    before, start = states(tower), read(tower)
    adapters = adapted(tower, LoraSpec(targets=ALL, scaling="alpha/r"))
    plain.module.load_state_dict(adapters.merged())
    close([read(plain)], [read(tower)])
    assert not torch.allclose(read(plain), start, rtol=1e-2, atol=1e-2)
    with adapters.scaled(0.0):
        close([read(tower)], [start])
        assert all(torch.equal(t, before[key]) for key, t in adapters.merged().items())
    with adapters.scaled(0.5):
        inside, middle = read(tower), adapters.merged()
    half.module.load_state_dict(middle)
    close([read(half)], [inside])
    whole = adapters.merged()
    close(middle.values(), [(before[key] + whole[key]) / 2 for key in before])
    close([read(plain)], [read(tower)])


@pytest.mark.parametrize("name", NAMES)
def test_masks_do_not_know_the_micro_batches(towers: Towers, name: str) -> None:
    tower = towers(name)
    adapters = adapted(tower, LoraSpec(dropout=0.5, targets=ALL))

    def step(key: int, *parts: list[int]) -> list[torch.Tensor]:
        for part in parts:
            adapters.begin(key, ROWS[part])
            loss(tower.read(*part)).backward()
        return gradients(adapters)

    whole = step(1, [0, 1, 2, 3])
    close(step(1, [0, 1], [2, 3]), whole, 1e-4)
    close(step(1, [3], [0, 2, 1]), whole, 1e-4)
    assert not torch.allclose(step(2, [0, 1, 2, 3])[1], whole[1], rtol=1e-2)
    torch.manual_seed(99)  # the global stream has no say
    close(step(1, [0, 1, 2, 3]), whole, 1e-6)


@pytest.mark.parametrize("name", ["open_clip image", "bert"])
def test_evaluation_has_no_dropout(towers: Towers, name: str) -> None:
    tower = towers(name)
    adapters = adapted(tower, LoraSpec(dropout=0.5))
    plain = tower.read().detach()
    adapters.begin(1, ROWS)
    dropping = tower.read().detach()
    assert not torch.allclose(dropping, plain, rtol=1e-3, atol=1e-3)
    close([read(tower)], [plain], 1e-6)
    adapters.end()
    close([tower.read().detach()], [plain], 1e-6)


@pytest.mark.parametrize("name", ["open_clip image", "open_clip text", "timm", "clip image"])
def test_checkpointing_recomputes_the_masks(towers: Towers, name: str) -> None:
    tower = towers(name)
    adapters = adapted(tower, LoraSpec(dropout=0.5))
    adapters.begin(3, ROWS)
    loss(tower.read()).backward()
    plain = gradients(adapters)
    if name == "clip image":
        tower.module.activation_checkpointing_enable()
        tower.module.train()
    elif name == "open_clip text":
        tower.module.transformer.grad_checkpointing = True
    else:
        tower.module.set_grad_checkpointing(True)
    adapters.begin(3, ROWS)
    loss(tower.read()).backward()
    close(gradients(adapters), plain, 1e-6)


@pytest.mark.parametrize("name", ["open_clip image", "timm", "bert"])
def test_bfloat16_by_autocast(towers: Towers, name: str) -> None:
    """The masks are those of float32: the gradients differ by bfloat16's rounding alone."""
    tower = towers(name)
    adapters = adapted(tower, LoraSpec(dropout=0.5))
    adapters.begin(3, ROWS)
    loss(tower.read()).backward()
    exact = torch.cat([g.flatten() for g in gradients(adapters)])
    with torch.autocast("cpu", torch.bfloat16):
        z_ND = tower.read()
    loss(z_ND).backward()
    rough = torch.cat([g.flatten() for g in gradients(adapters)])
    assert rough.dtype == torch.float32
    assert (rough - exact).norm() < 0.1 * exact.norm()


def test_copies_are_independent(towers: Towers) -> None:
    tower = towers("open_clip image")
    adapted(tower, LoraSpec(dropout=0.5)).begin(1, ROWS)
    copied = deepcopy(tower)
    expected = tower.read().detach()
    close([copied.read().detach()], [expected], 1e-6)
    with torch.no_grad():
        for parameter in tower.module.parameters():
            parameter.zero_()
    close([copied.read().detach()], [expected], 1e-6)


def test_the_start_is_kaimings_law_from_the_seed(towers: Towers) -> None:
    """A is uniform within 1/sqrt(F), which is Kaiming's bound for a = sqrt 5, and B is zero."""

    def start(seed: int | None, kind: str) -> list[torch.Tensor]:
        spec = LoraSpec(rank=8)
        return Adapters(towers("timm").module, spec, seed, kind).tensors()

    first = start(0, "image")
    same, *others = start(0, "image"), start(1, "image"), start(0, "text"), start(None, "image")
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not any(torch.equal(first[0], other[0]) for other in others)
    assert all(not b_DR.any() for b_DR in first[1::2])
    width = first[0].shape[1]
    drawn = torch.cat([a_RF.flatten() for a_RF in first[::2]]).detach() * math.sqrt(width)
    assert drawn.abs().max() <= 1
    assert drawn.square().mean().item() == pytest.approx(1 / 3, rel=0.03)


def test_blocks_with_the_samples_in_the_second_dimension() -> None:
    """open_clip's blocks without batch_first have the masks of those with it, MLP included."""
    torch.manual_seed(0)
    first = Transformer(12, 2, 2, batch_first=True)
    second = Transformer(12, 2, 2, batch_first=False)
    second.load_state_dict(first.state_dict())
    x_NLD, outputs = torch.randn(4, 5, 12), []
    for module in (first, second):
        adapters = Adapters(module, LoraSpec(dropout=0.5, targets=ALL), 0, "image")
        with torch.no_grad():
            for tensor in adapters.tensors()[1::2]:
                tensor.fill_(0.1)
        adapters.begin(1, ROWS)
        outputs.append(module(x_NLD).detach())
    close(outputs[1:], outputs[:1], 1e-6)


def test_a_learned_context_is_read_through_the_adapters(towers: Towers) -> None:
    tower = towers("open_clip text")
    context_ME = torch.randn(2, tower.encoder.context_dim, generator=torch.Generator())
    context_ME.requires_grad_()
    adapters = adapted(tower, LoraSpec(dropout=0.5))
    adapters.begin(1, torch.arange(2))
    loss(tower.encoder.encode(["cat", "a boat"], TextContext(context_ME))).backward()
    assert context_ME.grad is not None
    assert context_ME.grad.abs().max() > 0
    assert all(grad.abs().max() > 0 for grad in gradients(adapters)[:2])


def test_towers_without_attention_are_refused(tmp_path: Path) -> None:
    sentence = (
        r"tuning: lora adapts the attention of transformer blocks, and the image tower \({}\) has "
        "none of a known kind"
    )
    resnet = open_clip.build_image(
        tiny.open_clip_model(tmp_path / "resnet", tiny.RESNET), open_clip.Options()
    )
    of_timm = timm_images.build_image(tiny.timm_model(tmp_path / "timm"), NoOptions())
    efficientnet = embedded.build_image("lit-emoji", NoOptions())
    modules = {
        "ModifiedResNet": resnet.module, "ResNet": of_timm.module,
        "EfficientNet": efficientnet.module,
    }  # fmt: skip
    for name, module in modules.items():
        with pytest.raises(CellError, match=f"^{sentence.format(name)}$"):
            Adapters(module, LoraSpec(), 0, "image")


def test_pooling_by_attention_has_no_adapters(tmp_path: Path) -> None:
    """CoCa's tower pools by attention behind its two blocks."""
    tower = open_clip.build_image(
        tiny.open_clip_model(tmp_path / "coca", tiny.COCA), open_clip.Options()
    )
    assert len(Adapters(tower.module, LoraSpec(), 0, "image").tensors()) == 2 * 3 * 2


def test_targets_that_are_none(towers: Towers) -> None:
    module = towers("bert").module
    with pytest.raises(CellError, match="'w' is no target; allowed: q, k, v, o, mlp"):
        Adapters(module, LoraSpec(targets=("q", "w")), 0, "text")
    with pytest.raises(CellError, match="there are no targets"):
        Adapters(module, LoraSpec(targets=()), 0, "text")
    assert len(Adapters(module, LoraSpec(targets=("mlp",)), 0, "text").tensors()) == 2 * 2 * 2
