"""What holds of every module over time: where it is, in which cells it can be, what it changes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harness.core import registry
from harness.core.cells import Cell, Choice
from harness.core.errors import CellError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.temporal import Temporal

from .backbone import B, T, features, insert, shaken
from .towers import RESNETS, VITS, Tower, tower

ENCODER = EncoderFacts("w", "b", 16, 16, 32, 100.0, text_dim=16)
CELL = Cell(Choice("emoji_motion"), "few_shot", Choice("embedded/lit-emoji"))
EVERY = [*(("token_t1d", n) for n in VITS), *(("t1d", n) for n in RESNETS)]


@pytest.mark.parametrize(
    ("name", "place"),
    [("tap", "embedding"), ("t_trans", "embedding"), ("token_t1d", "backbone"),
     ("t1d", "backbone")],
)  # fmt: skip
def test_every_module_says_where_it_is(name: str, place: str) -> None:
    assert place == registry.load(Temporal, name).PLACE


@pytest.mark.parametrize(
    ("name", "kind", "tuning", "reason"),
    [
        ("tap", "other", "none", None),
        ("tap", "vit", "all", None),
        ("t_trans", "other", "none", "begins at random and is not trained: tuning is none"),
        ("t_trans", "other", "head", "tuning is head, not projection"),
        ("t_trans", "other", "projection", None),
        ("t_trans", "vit", "all", None),
        ("token_t1d", "vit", "all", None),
        ("token_t1d", "vit", "projection", "changes the backbone, so it needs tuning: all"),
        ("token_t1d", "vit", "none", "changes the backbone, so it needs tuning: all"),
        ("token_t1d", "resnet", "all", "token_t1d needs a vit tower"),
        ("t1d", "resnet", "all", None),
        ("t1d", "resnet", "projection", "changes the backbone, so it needs tuning: all"),
        (
            "t1d",
            "vit",
            "all",
            "t1d needs a resnet tower, and that of embedded/lit-emoji is not one",
        ),
        ("t1d", "other", "all", "t1d needs a resnet tower"),
    ],
)
def test_check(name: str, kind: str, tuning: str, reason: str | None) -> None:
    facts = CellFacts(10, 4, replace(ENCODER, tower=kind))
    told = registry.load(Temporal, name).check(replace(CELL, tuning=tuning), facts)
    assert told is None if reason is None else reason in (told or "")


# --- inside a backbone ---------------------------------------------------------------------------


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_new_parameters_are_those_of_the_changed_tower(plugin: str, name: str) -> None:
    found = tower(name)
    old = list(found.module.parameters())
    new = insert(registry.load(Temporal, plugin), found)
    ids = [id(p) for p in found.module.parameters()]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(p) for p in (*old, *new)}
    assert len(ids) == len(old) + len(new)


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_gradients_reach_old_and_new_parameters(plugin: str, name: str) -> None:
    found = tower(name)
    new = insert(registry.load(Temporal, plugin), found)
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
    insert(registry.load(Temporal, plugin), found)
    z_BD = averaged(found, x_BTCHW)
    assert float((z_BD - averaged(found, x_BTCHW.flip(1))).abs().max()) > 5e-5
    # A clip knows nothing of the others in its batch.
    torch.testing.assert_close(z_BD[:1], averaged(found, x_BTCHW[:1]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("plugin", "name"), EVERY)
def test_copies_and_saved_weights_give_the_same(plugin: str, name: str, tmp_path: Path) -> None:
    found, fresh = tower(name), tower(name)
    shaken(insert(registry.load(Temporal, plugin), found))
    insert(registry.load(Temporal, plugin), fresh)
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
    insert(registry.load(Temporal, plugin), single, frames=1)
    assert bool(features(single, frames=1).isfinite().all())
    insert(registry.load(Temporal, plugin), found)
    with pytest.raises(CellError, match="4 pictures are not whole clips of 3 frames"):
        found.features(found.clips(1, 4))
