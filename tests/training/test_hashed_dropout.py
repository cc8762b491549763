"""Masks that are hashes: their values, their rate, their independence, and no trace of grouping."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from harness.core.errors import CellError
from harness.training.hashed_dropout import HashedDropout, Masks, dropped, mixed

ALL_BITS = (1 << 64) - 1


def test_the_mixing_is_that_of_splitmix64() -> None:
    """The first outputs of the reference implementation (Vigna's splitmix64.c) from state 0."""
    step = 0x9E3779B97F4A7C15
    assert [mixed(step * i) for i in (1, 2, 3)] == [
        0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F,
    ]  # fmt: skip


def test_every_element_is_decided_by_sixteen_bits_of_its_samples_stream() -> None:
    """Against Python's integers, with numbers of samples and a seed that use all the bits."""
    rows, seed, size, rate = [0, 1, 7, 2**40 + 3], 2**64 - 12345, 11, 0.3
    step, expected = 0x9E3779B97F4A7C15, []
    for row in rows:
        state = mixed(mixed(seed) + row * step)
        words = [mixed(state + i * step) for i in range(1, 4)]
        bits = [word >> 16 * i & 0xFFFF for word in words for i in range(4)][:size]
        # The lowest numbers once the highest bit is read as a sign.
        expected.append([(each ^ 0x8000) < round(rate * 65536) for each in bits])
    assert dropped(seed, torch.tensor(rows), size, rate).tolist() == expected


@pytest.mark.parametrize("rate", [0.05, 0.25, 0.5, 0.9])
def test_rate(rate: float) -> None:
    """A share within four standard errors of the rate, in each of the four parts of a word too."""
    dropped_BP = dropped(3, torch.arange(50), 20_000, rate)
    assert abs(dropped_BP.double().mean() - rate) < 4 * math.sqrt(rate * (1 - rate) / 1e6)
    parts_4 = dropped_BP.view(-1, 4).double().mean(dim=0)
    assert (parts_4 - rate).abs().max() < 4 * math.sqrt(rate * (1 - rate) / 2.5e5)


def masks_of(key: int, layer: int, tower: str, rows_B: torch.Tensor) -> torch.Tensor:
    masks = Masks()
    masks.key, masks.rows_B = key, rows_B
    out_BP: torch.Tensor = HashedDropout(0.25, layer, tower, masks, 0)(
        torch.ones(len(rows_B), 40_000)
    )
    return (out_BP == 0).double()


def test_masks_of_other_samples_layers_towers_and_keys_are_independent() -> None:
    """Pairs of masks correlate no more than chance lets them: r has a standard error of
    1/sqrt(40,000), and none of the pairs is beyond four and a half of them.
    """
    rows_B = torch.tensor([0, 1, 2, 1000])
    families = [
        masks_of(key, layer, tower, rows_B)
        for key, layer, tower in [(0, 0, "image"), (1, 0, "image"), (0, 1, "image"), (0, 0, "text")]
    ]
    all_MP = torch.cat(families)
    r_MM = torch.corrcoef(all_MP)
    beyond = r_MM.fill_diagonal_(0).abs().max() * math.sqrt(40_000)
    assert beyond < 4.5
    # Neither does a mask correlate with itself one to eight elements further on.
    shifted = [
        torch.corrcoef(torch.stack([mask_P[:-n], mask_P[n:]]))[0, 1].abs().item()
        for mask_P, n in itertools.product(all_MP[:4], range(1, 9))
    ]
    assert max(shifted) * math.sqrt(40_000) < 4.5


def test_masks_know_the_sample_and_not_its_batch() -> None:
    rows_B = torch.tensor([5, 3, 11, 0, 4])
    whole_BP = dropped(9, rows_B, 77, 0.4)
    parts = [dropped(9, part_B, 77, 0.4) for part_B in rows_B.split([2, 1, 2])]
    assert torch.equal(torch.cat(parts), whole_BP)
    assert torch.equal(dropped(9, rows_B.flip(0), 77, 0.4), whole_BP.flip(0))
    # A text that is padded further has the same mask where it was before.
    assert torch.equal(dropped(9, rows_B, 123, 0.4)[:, :77], whole_BP)


def test_what_is_kept_is_enlarged() -> None:
    masks = Masks()
    layer = HashedDropout(0.25, 0, "image", masks, 0).eval()  # the mode does not matter
    x_BLD = torch.full((3, 5, 8), 3.0)
    assert torch.equal(layer(x_BLD), x_BLD)  # there is no key yet
    masks.key = 7
    out_BLD = layer(x_BLD)
    assert set(out_BLD.unique().tolist()) == {0.0, 4.0}
    assert torch.equal(layer(x_BLD), out_BLD)
    with torch.no_grad():
        assert torch.equal(layer(x_BLD), x_BLD)
    masks.key = 8
    assert not torch.equal(layer(x_BLD), out_BLD)


def test_samples_may_be_in_the_second_dimension() -> None:
    masks = Masks()
    masks.key, masks.rows_B = 7, torch.tensor([4, 2, 9])
    x_BLD = torch.ones(3, 5, 8)
    first = HashedDropout(0.25, 0, "text", masks, 0)(x_BLD)
    second = HashedDropout(0.25, 0, "text", masks, 1)(x_BLD.transpose(0, 1))
    assert torch.equal(second.transpose(0, 1), first)


def test_it_needs_a_number_for_every_sample() -> None:
    masks = Masks()
    masks.key, masks.rows_B = 7, torch.arange(2)
    with pytest.raises(CellError, match="numbers of 2 samples, and the layer reads 8"):
        HashedDropout(0.25, 0, "image", masks, 0)(torch.ones(8, 5))
    with pytest.raises(ValueError, match="below 1"):
        HashedDropout(1.0, 0, "image", masks, 0)
