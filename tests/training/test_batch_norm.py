"""Batch norm in training mode, against torch's own on whole batches."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from harness.sampling.views import Views
from harness.training.batch_norm import BatchNorms
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling
from harness.training.tuned import TunedBackbone

from .grey import GreyPictures, Mean


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).eval()


def batch(seed: int, n: int = 6) -> torch.Tensor:
    return 3 + 2 * torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


def step(module: Any, norms: BatchNorms, parts: list[torch.Tensor]) -> None:
    for part in parts:
        norms.begin_part()
        module(part).sum().backward()
        norms.end_part()
    norms.end_step()


def test_an_update_of_one_part_is_that_of_torch() -> None:
    module, plain = network(), network().train()
    norms = BatchNorms(module)
    for seed in range(3):
        step(module, norms, [batch(seed)])
        plain(batch(seed))
        for found, expected in zip(module[1].buffers(), plain[1].buffers(), strict=True):
            torch.testing.assert_close(found, expected)
        assert not module[1].training, "evaluation uses the running statistics"
    assert torch.equal(module(batch(9)), deepcopy(plain).eval()(batch(9)))


def test_parts_move_the_statistics_by_their_mean() -> None:
    module = network()
    parts = [batch(seed) for seed in (1, 2, 3)]
    h = [module[0](part) for part in parts]
    mean = torch.stack([x.mean(dim=0) for x in h]).mean(dim=0)
    var = torch.stack([x.var(dim=0) for x in h]).mean(dim=0)
    step(module, BatchNorms(module), parts)
    torch.testing.assert_close(module[1].running_mean, 0.1 * mean)
    torch.testing.assert_close(module[1].running_var, 0.9 + 0.1 * var)


def test_a_pass_without_a_graph_and_one_in_the_backward_pass_do_not_count() -> None:
    """The two passes of a contrastive loss, and gradient checkpointing."""
    once, twice = network(), network()
    step(once, BatchNorms(once), [batch(1)])
    norms = BatchNorms(twice)
    norms.begin_part()
    with torch.no_grad():
        twice(batch(1))
        norms.end_part()
    norms.begin_part()
    h = checkpoint(twice, batch(1), use_reentrant=False)
    norms.end_part()
    h.sum().backward()  # computes h again
    assert not torch.equal(twice[1].running_mean, torch.zeros(4))
    norms.end_step()
    torch.testing.assert_close(twice[1].running_mean, once[1].running_mean)
    torch.testing.assert_close(twice[1].running_var, once[1].running_var)


class Normed(Mean):
    """An encoder with batch norm over the grey levels of a batch."""

    def __init__(self) -> None:
        self.module = torch.nn.BatchNorm1d(1).eval()

    def preprocess(self, image: Any, resolution: int) -> torch.Tensor:
        return torch.full((3, 2, 2), float(image.getpixel((0, 0))[0]))

    def features(self, x_BCHW: torch.Tensor) -> Any:
        return self.module(x_BCHW.mean(dim=(1, 2, 3))[:, None])


@pytest.mark.parametrize("batch_norm", [None, "updated"])
def test_a_tuned_backbone(batch_norm: str | None) -> None:
    """Pictures of 10 and 30: normalised by their own mean and deviation, or by the pretrained."""
    data: Any = GreyPictures()
    pictures = Pictures(data, Normed(), 2)
    sampling = Sampling(0, None, batch_norm=batch_norm)
    source = TunedBackbone(Normed(), pictures, ["1", "3"], sampling, "cpu")
    (x_NCHW,) = source.ahead([(0, torch.tensor([0, 1]))])
    h_BF = source.features(x_NCHW)
    h_BF.sum().backward()
    source.end_step()
    mean = source.module.running_mean.item()
    if batch_norm is None:
        assert h_BF.flatten().tolist() == pytest.approx([10, 30], rel=1e-4)
        assert (mean, source.statistics()) == (0, [])
    else:
        assert h_BF.flatten().tolist() == pytest.approx([-1, 1], abs=1e-3)
        assert mean == pytest.approx(0.1 * 20)
        assert [b.item() for b in source.statistics()] == pytest.approx([2, 0.9 + 0.1 * 200])
    (evaluated,) = source.embed(["1"], pictures, Views()).flatten().tolist()
    var = source.module.running_var.item()
    assert evaluated == pytest.approx((10 - mean) / (var + 1e-5) ** 0.5, rel=1e-4)
    assert source.state()["running_mean"].item() == mean, "saved with the weights"
