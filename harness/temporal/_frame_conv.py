"""A convolution over time for every channel by itself: what t1d and token_t1d put into a tower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.errors import CellError

if TYPE_CHECKING:
    import torch


def frame_conv(start_C3: torch.Tensor, frames: int) -> torch.nn.Module:
    """A module on (B*T, C, *), clip after clip: frame t becomes a sum of frames t-1, t and t+1,
    weighted for each channel by the columns of `start_C3`. Beyond the ends are zeros.

    The module raises CellError for a number of pictures that is no multiple of T.
    """
    import torch

    class FrameConv(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight_C3 = torch.nn.Parameter(start_C3.clone())

        def forward(self, x_NC: torch.Tensor) -> torch.Tensor:
            clips, rest = divmod(len(x_NC), frames)
            if rest:
                raise CellError(f"{len(x_NC)} pictures are not whole clips of {frames} frames")
            x_BTC = x_NC.unflatten(0, (clips, frames))
            channels = (-1, *[1] * (x_NC.dim() - 2))  # C, and 1 for height and width
            before_C, same_C, after_C = (
                w_C.reshape(channels) for w_C in self.weight_C3.to(x_NC.dtype).unbind(dim=1)
            )
            # Three shifted sums: a convolution would want the frames last in memory.
            y_BTC = same_C * x_BTC
            y_BTC[:, 1:] += before_C * x_BTC[:, :-1]
            y_BTC[:, :-1] += after_C * x_BTC[:, 1:]
            y_NC: torch.Tensor = y_BTC.flatten(0, 1)
            return y_NC

    return FrameConv()


def identity(channels: int) -> torch.Tensor:
    """(C, 3): every frame stays as it is."""
    import torch

    return torch.tensor([0.0, 1.0, 0.0]).repeat(channels, 1)


def shift(channels: int, parts: int) -> torch.Tensor:
    """(C, 3): of `parts` equal parts of the channels (rounded down) the first reads the next frame
    and the second the one before; the others stay.
    """
    import torch

    part = channels // parts
    start_C3 = identity(channels)
    start_C3[:part] = torch.tensor([0.0, 0.0, 1.0])
    start_C3[part : 2 * part] = torch.tensor([1.0, 0.0, 0.0])
    return start_C3
