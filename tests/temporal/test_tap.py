"""tap: the mean over the frames, whatever their order."""

from __future__ import annotations

import torch

from .embedding import TAP, B, D, T, build, clips


def test_tap_is_the_mean_and_has_nothing_to_train() -> None:
    module, z_BTD = build(TAP), clips()
    by_hand = sum(z_BTD[:, t].double() for t in range(T)) / T
    torch.testing.assert_close(module(z_BTD).double(), by_hand, atol=1e-6, rtol=0)
    assert list(module.parameters()) == []


def test_it_does_not_see_the_order_of_the_frames() -> None:
    z_BTD = clips()
    change_BD = build(TAP)(z_BTD) - build(TAP)(z_BTD.flip(1))
    assert float(change_BD.abs().max()) < 1e-6


def test_one_frame() -> None:
    assert build(TAP, frames=1)(clips(frames=1)).shape == (B, D)
