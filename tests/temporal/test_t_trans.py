"""t_trans, against a computation in numpy, one frame, head and token at a time."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.core.cells import Cell, Choice
from harness.core.errors import CellError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.temporal import TemporalInputs
from harness.temporal import t_trans

from .embedding import T_TRANS, B, D, build, clips, shaken


def norm(x: np.ndarray, state: dict[str, np.ndarray], name: str) -> np.ndarray:
    centred = x - x.mean()
    unit = centred / np.sqrt((centred**2).mean() + 1e-12)
    return unit * state[f"{name}.weight"] + state[f"{name}.bias"]


def attention(x_TD: np.ndarray, state: dict[str, np.ndarray], name: str, heads: int) -> np.ndarray:
    joint = x_TD @ state[f"{name}.in_proj_weight"].T + state[f"{name}.in_proj_bias"]
    q, k, v = np.split(joint, 3, axis=1)
    width = x_TD.shape[1] // heads
    out = np.zeros_like(x_TD)
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)
        for t in range(len(x_TD)):
            scores = np.array([q[t, own] @ k[s, own] for s in range(len(x_TD))]) / np.sqrt(width)
            weights = np.exp(scores) / np.exp(scores).sum()
            out[t, own] = sum(w * v[s, own] for s, w in enumerate(weights))
    return out @ state[f"{name}.out_proj.weight"].T + state[f"{name}.out_proj.bias"]


def mlp(x_TD: np.ndarray, state: dict[str, np.ndarray], name: str) -> np.ndarray:
    hidden = x_TD @ state[f"{name}.linear1.weight"].T + state[f"{name}.linear1.bias"]
    hidden = hidden / (1 + np.exp(-1.702 * hidden))
    return hidden @ state[f"{name}.linear2.weight"].T + state[f"{name}.linear2.bias"]


def by_numpy(module: torch.nn.Module, z_BTD: torch.Tensor, heads: int) -> np.ndarray:
    state = {k: v.double().numpy() for k, v in module.state_dict().items()}
    rows = []
    for z_TD in z_BTD.double().numpy():
        x_TD = z_TD + state["positions_TD"]
        for i in range(6):
            block = f"blocks.{i}"
            normed = np.stack([norm(x, state, f"{block}.norm1") for x in x_TD])
            x_TD = x_TD + attention(normed, state, f"{block}.self_attn", heads)
            normed = np.stack([norm(x, state, f"{block}.norm2") for x in x_TD])
            x_TD = x_TD + mlp(normed, state, block)
        rows.append((x_TD + z_TD).mean(axis=0))
    return np.stack(rows)


@pytest.mark.parametrize(("dim", "heads"), [(128, 2), (24, 1)])
def test_t_trans_equals_numpy(dim: int, heads: int) -> None:
    module = shaken(build(T_TRANS, dim=dim))
    z_BTD = clips(dim)
    with torch.no_grad():
        found = module(z_BTD).numpy()
    expected = by_numpy(module, z_BTD, heads)
    assert np.abs(expected - z_BTD.mean(dim=1).numpy()).max() > 0.1  # the blocks do something
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("dim", "heads"), [(512, 8), (384, 6), (768, 12), (1024, 16), (640, 10), (16, 1), (130, 2),
                       (200, 2), (210, 3), (257, 1)],
)  # fmt: skip
def test_heads_divide_the_width(dim: int, heads: int) -> None:
    assert t_trans.heads(dim) == heads
    assert dim % heads == 0


def test_t_trans_starts_as_the_reference_does() -> None:
    state = build(T_TRANS, frames=64).state_dict()
    assert sum(name.endswith("in_proj_weight") for name in state) == 6
    for name, value in state.items():
        if name.endswith("bias"):
            assert not value.any(), name
        elif ".norm" in name:
            assert torch.equal(value, torch.ones(D)), name
        elif name.endswith("in_proj_weight"):  # Xavier: uniform within sqrt(6 / (3 D + D))
            assert float(value.abs().max()) == pytest.approx((6 / (4 * D)) ** 0.5, rel=1e-3)
            assert float(value.std()) == pytest.approx((0.5 / D) ** 0.5, rel=0.02)
        else:
            assert float(value.std()) == pytest.approx(0.02, rel=0.05), name
            assert abs(float(value.mean())) < 0.001, name


def test_options_of_t_trans() -> None:
    state = build(T_TRANS).state_dict()
    changed = build(T_TRANS, layers=2, position_std=0.5).state_dict()
    torch.testing.assert_close(changed["positions_TD"], state["positions_TD"] * 25)
    assert {name.split(".")[1] for name in changed if name.startswith("blocks")} == {"0", "1"}
    with pytest.raises(ValidationError, match="layers"):
        t_trans.Options(layers=0)


def test_draws_come_from_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (build(T_TRANS, seed=s).state_dict() for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["positions_TD"], other["positions_TD"])


def test_it_sees_the_order_of_the_frames() -> None:
    z_BTD, module = clips(), build(T_TRANS)
    with torch.no_grad():
        change_BD = module(z_BTD) - module(z_BTD.flip(1))
    assert float(change_BD.abs().max()) > 1e-6


def test_gradients_reach_every_parameter_of_t_trans() -> None:
    module = build(T_TRANS)
    (module(clips()) * clips()[:, 0]).sum().backward()
    # A bias of the keys moves every score of a query alike: the middle third has no effect.
    for name, value in module.named_parameters():
        grad = value.grad
        assert grad is not None, name
        if name.endswith("in_proj_bias"):
            grad = torch.cat([grad[:D], grad[2 * D :]])
        assert bool((grad != 0).all()), name


def test_copies_and_saved_weights_give_the_same() -> None:
    module, z_BTD = shaken(build(T_TRANS)), clips()
    fresh = build(T_TRANS, seed=8)
    assert not torch.equal(fresh(z_BTD), module(z_BTD))
    fresh.load_state_dict(module.state_dict())
    assert torch.equal(fresh(z_BTD), module(z_BTD))
    copy = deepcopy(module)
    assert torch.equal(copy(z_BTD), module(z_BTD))
    shaken(copy)
    assert not torch.equal(copy(z_BTD), module(z_BTD))


def test_one_frame() -> None:
    assert build(T_TRANS, frames=1)(clips(frames=1)).shape == (B, D)


def test_t_trans_refuses_clips_of_another_length() -> None:
    with pytest.raises(CellError, match="made for 5 frames and cannot read a clip of 4"):
        build(T_TRANS)(clips(frames=4))


@pytest.mark.parametrize(
    ("dim", "text_width", "heads"), [(1024, 512, 8), (512, 512, 8), (768, 768, 12), (640, 640, 10)]
)
def test_heads_of_the_text_tower(dim: int, text_width: int, heads: int) -> None:
    """Text width // 64, as in the paper's public code: 8 for RN50, whose embeddings are 1,024."""
    assert t_trans.head_count(dim, "text_width", text_width) == heads
    inputs = TemporalInputs(dim, 8, torch.Generator().manual_seed(0), text_width)
    module: Any = t_trans.build(inputs, t_trans.Options(layers=1, heads="text_width"))
    assert module.blocks[0].self_attn.num_heads == heads
    own: Any = t_trans.build(inputs, t_trans.Options(layers=1))
    assert own.blocks[0].self_attn.num_heads == dim // 64
    four: Any = t_trans.build(inputs, t_trans.Options(layers=1, heads=4))
    assert four.blocks[0].self_attn.num_heads == 4


def test_the_number_of_heads_changes_what_is_computed() -> None:
    inputs = TemporalInputs(128, 5, torch.Generator().manual_seed(0), 512)
    module = shaken(t_trans.build(inputs, t_trans.Options(heads="text_width")))
    z_BTD = clips(128)
    with torch.no_grad():
        found = module(z_BTD).numpy()
    np.testing.assert_allclose(found, by_numpy(module, z_BTD, 8), atol=2e-5)


def test_more_positions_than_frames() -> None:
    """77 in the paper's public code, of which the first T are added."""
    module = shaken(build(T_TRANS, positions=77))
    assert module.state_dict()["positions_TD"].shape == (77, D)
    shorter = build(T_TRANS, frames=4)
    state = module.state_dict()
    shorter.load_state_dict(state | {"positions_TD": state["positions_TD"][:4]})
    z_BTD = clips(frames=4)
    with torch.no_grad():
        assert torch.equal(module(z_BTD), shorter(z_BTD))
    with pytest.raises(CellError, match="made for 77 frames and cannot read a clip of 78"):
        module(clips(frames=78))


@pytest.mark.parametrize(
    ("options", "facts", "reason"),
    [
        ({}, {}, None),
        ({"heads": "text_width"}, {"text_width": 512}, None),
        ({"heads": "text_width"}, {}, "text tower has a known width"),
        ({"heads": 3}, {}, "3 heads do not divide the 512 dimensions"),
        ({"heads": "text_width"}, {"text_width": 192}, "3 heads do not divide"),
        ({"positions": 7}, {}, "7 positions, fewer than 8 frames"),
        ({"positions": 8}, {}, None),
    ],
)
def test_heads_and_positions_that_do_not_fit(
    options: dict[str, Any], facts: dict[str, Any], reason: str | None
) -> None:
    encoder = EncoderFacts("", "", 512, 512, 224, 20.0, **facts)
    cell = Cell(
        Choice("v"), "full", Choice("e"), tuning="all", frames=8,
        temporal=Choice("t_trans", tuple(options.items())),
    )  # fmt: skip
    told = t_trans.check(cell, CellFacts(2, 8, encoder))
    assert told is None if reason is None else reason in str(told)


@pytest.mark.parametrize("options", [{"heads": 0}, {"heads": "text"}, {"positions": 0}])
def test_options_of_heads_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        t_trans.Options(**options)
