"""The convolution over time, against torch's own, and the weights that it begins with."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from harness.core.errors import CellError
from harness.temporal._frame_conv import frame_conv, identity, shift

B, T = 2, 3


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


def test_clips_that_are_not_whole_are_refused() -> None:
    with pytest.raises(CellError, match="4 pictures are not whole clips of 3 frames"):
        frame_conv(identity(2), 3)(torch.ones(4, 2))
