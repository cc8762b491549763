"""Dropout whose masks are hashes, not draws: the same for any grouping of the samples.

Whether an element is dropped depends on a key (which says the step), the layer, the number of its
sample and its position within the sample, and on nothing else. So micro-batches, processes and
trainings that are resumed have the masks of one undivided training, gradient checkpointing
recomputes them, and a CPU and a GPU have the same.

B samples, W words of 64 bits per sample, P elements per sample.
"""

from __future__ import annotations

import torch

from harness.core.errors import CellError
from harness.core.seeding import stream_seed

# SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the step between two states, and the mixing.
STEP = 0x9E3779B97F4A7C15
MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
LAST_SHIFT = 31
ALL_BITS = (1 << 64) - 1
#: One word decides four elements, each with 16 of its bits.
BITS, PER_WORD = 16, 4


class Masks:
    """What the masks of the next forward pass depend on. Without a key nothing is dropped."""

    def __init__(self) -> None:
        self.key: int | None = None
        self.rows_B: torch.Tensor | None = None


class HashedDropout(torch.nn.Module):
    """Inverted dropout of a layer's input at this rate.

    It works where a key is set and a graph is recorded, whatever the mode of the module: the towers
    are in evaluation mode while they are tuned. `batch_dim` is the dimension of the samples.

    Raises ValueError for a rate outside of [0, 1).
    """

    def __init__(self, rate: float, layer: int, tower: str, masks: Masks, batch_dim: int) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"dropout {rate}: at least 0, and below 1")
        self.rate, self.batch_dim = rate, batch_dim
        self._masks, self._layer = masks, stream_seed(layer, "dropout", tower)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Input and output of one shape.

        Raises CellError if there is not one number for every sample.
        """
        key = self._masks.key
        if key is None or self.rate == 0 or not torch.is_grad_enabled():
            return x
        x_B = x.movedim(self.batch_dim, 0)
        rows_B = _rows(self._masks.rows_B, x_B)
        dropped_BP = dropped(mixed(key) + self._layer, rows_B, x_B[0].numel(), self.rate)
        dropped_B = dropped_BP.view(x_B.shape).movedim(0, self.batch_dim)
        return x.masked_fill(dropped_B, 0.0) / (1 - self.rate)

    def extra_repr(self) -> str:
        return f"rate={self.rate}"


def dropped(seed: int, rows_B: torch.Tensor, size: int, rate: float) -> torch.Tensor:
    """(B, P), True where an element is dropped, of samples with these numbers and P elements.

    The state of a sample is hashed from the seed and its number; its words are those of SplitMix64
    from that state. The rate is met to 1/65,536.
    """
    words = -(-size // PER_WORD)
    state_B = _mixed(rows_B.long() * _signed(STEP) + _signed(mixed(seed)))
    steps_W = torch.arange(1, words + 1, device=rows_B.device) * _signed(STEP)
    words_BW = _mixed(state_B[:, None] + steps_W)
    bits_BP = words_BW.view(torch.int16)[:, :size]  # uniform over -32,768 ... 32,767
    return bits_BP < round(rate * (1 << BITS)) - (1 << (BITS - 1))


def mixed(number: int) -> int:
    """SplitMix64's mixing of 64 bits."""
    number &= ALL_BITS
    for shift, factor in MIXING:
        number = (number ^ number >> shift) * factor & ALL_BITS
    return number ^ number >> LAST_SHIFT


def _mixed(x: torch.Tensor) -> torch.Tensor:
    """`mixed`, of int64, whose products wrap around; x is overwritten."""
    for shift, factor in MIXING:
        x.bitwise_xor_(_shifted(x, shift)).mul_(_signed(factor))
    return x.bitwise_xor_(_shifted(x, LAST_SHIFT))


def _shifted(x: torch.Tensor, bits: int) -> torch.Tensor:
    """To the right, filled up with zeros: torch repeats the sign."""
    return (x >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    """64 bits as the int64 that has them."""
    number &= ALL_BITS
    return number - (1 << 64) if number >> 63 else number


def _rows(rows_B: torch.Tensor | None, x_B: torch.Tensor) -> torch.Tensor:
    """The numbers of the samples, on their device; without any, their places in the batch."""
    if rows_B is None:
        return torch.arange(len(x_B), device=x_B.device)
    if len(rows_B) != len(x_B):
        raise CellError(
            f"LoRA's dropout has the numbers of {len(rows_B)} samples, and the layer reads "
            f"{len(x_B)}: this tower divides its samples, so lora.dropout must be 0"
        )
    return rows_B.to(x_B.device)
