"""t1d in every kind of convolutional tower, against hooks before its convolutions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.temporal._frame_conv import shift

from .backbone import T1D, B, T, features, insert, shaken
from .towers import FIRST_CONVOLUTIONS, RESNETS, tower


@pytest.mark.parametrize("name", RESNETS)
def test_t1d_with_the_identity_changes_nothing(name: str) -> None:
    changed = tower(name)
    assert len(insert(T1D, changed, start="identity")) == len(FIRST_CONVOLUTIONS[name])
    torch.testing.assert_close(features(changed), features(tower(name)), atol=0, rtol=0)


@pytest.mark.parametrize("name", RESNETS)
def test_t1d_equals_hooks_before_the_convolutions(name: str) -> None:
    hooked, changed = tower(name), tower(name)
    new = insert(T1D, changed)
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
    for place, weight_C3 in zip(FIRST_CONVOLUTIONS[name], new, strict=True):
        hooked.module.get_submodule(place).register_forward_pre_hook(over_time(weight_C3))
    expected = features(hooked)
    assert float((expected - plain).abs().max()) > 1e-3
    torch.testing.assert_close(features(changed), expected, atol=1e-5, rtol=1e-4)
