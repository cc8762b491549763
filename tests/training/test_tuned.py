"""Where features come from: kept ones, or a tuned backbone, in training and in evaluation."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.core.errors import CellError
from harness.sampling.views import Views
from harness.training.cached import CachedFeatures
from harness.training.item_views import shaped
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling
from harness.training.tuned import TunedBackbone

from .grey import Grey, GreyPictures, Mean


def pictures(data: Any = None) -> Pictures:
    return Pictures(data or Grey(), Mean(), 8)


def backbone(
    frames: int | None = 4, augment: str = "none", seed: int = 0, data: Any = None
) -> TunedBackbone:
    sampling = Sampling(seed, frames, augment)
    return TunedBackbone(Mean(), pictures(data), ["1", "2"], sampling, "cpu")


def features(source: TunedBackbone, numbers: list[int], epoch: int = 0) -> torch.Tensor:
    """Of one micro-batch."""
    (x_NCHW,) = source.ahead([(epoch, torch.tensor(numbers))])
    return source.features(x_NCHW)


def test_kept_features_are_rows_by_position() -> None:
    h_NF = torch.arange(12.0).reshape(4, 3)
    source = CachedFeatures(h_NF)
    assert source.features(torch.tensor([3, 0])).tolist() == [[9, 10, 11], [0, 1, 2]]
    assert (len(source), source.frames, source.pretrained(), source.new()) == (4, None, [], [])
    assert CachedFeatures(h_NF[:, None].expand(4, 5, 3)).frames == 5


def test_training_draws_frames_anew_every_epoch_and_alike_for_a_seed() -> None:
    def frames_of(epoch: int, seed: int = 0) -> list[float]:
        source = backbone(seed=seed)
        h_BTF = features(source, [1, 0], epoch)
        assert h_BTF.shape == (2, 4, 1)
        return h_BTF.flatten().tolist()

    first = frames_of(0)
    assert [int(v - 20) // 5 for v in first[:4]] == [0, 1, 2, 3], "a frame of every segment"
    assert frames_of(0) == first
    assert frames_of(1) != first
    assert frames_of(0, seed=1) != first


def test_a_sample_that_an_epoch_reads_again_is_drawn_anew() -> None:
    """Sample n + N is sample n; its first reading is as if there were no others."""
    source = backbone()
    first, again, third = features(source, [1, 3, 5])[..., 0].tolist()
    assert first == features(backbone(), [1])[0, :, 0].tolist()
    assert all([int(v - 20) // 5 for v in drawn] == [0, 1, 2, 3] for drawn in (again, third))
    assert len({tuple(drawn) for drawn in (first, again, third)}) == 3
    kept = CachedFeatures(torch.arange(4.0)[:, None])
    assert kept.features(torch.tensor([1, 5, 7])).flatten().tolist() == [1, 1, 3]


def test_a_short_clip_shows_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grey, "length", lambda self, item: 3)
    sampling = Sampling(0, 5, repeats="random")
    source = TunedBackbone(Mean(), pictures(), ["1"], sampling, "cpu")
    grey_T = features(source, [0])[0, :, 0].tolist()
    assert grey_T == sorted(grey_T)
    assert set(grey_T) == {10, 11, 12}


def test_a_picture_is_read_whole() -> None:
    source = backbone(frames=None, data=GreyPictures())
    assert features(source, [1, 0, 1]).tolist() == [[20], [10], [20]]
    assert source.embed(["2", "1"], pictures(GreyPictures())).tolist() == [[20], [10]]


def test_features_in_training_have_a_graph_and_in_evaluation_none() -> None:
    source = backbone()
    assert features(source, [0]).requires_grad
    assert not source.embed(["1"], pictures()).requires_grad


def test_evaluation_reads_the_centres_in_every_view() -> None:
    source = backbone()
    h_NTF = source.embed(["1", "2"], pictures())
    assert h_NTF[0, :, 0].tolist() == [12, 17, 22, 27]
    h_NVTF = source.embed(["1", "2"], pictures(), Views(2, 3))
    assert h_NVTF.shape == (2, 6, 4, 1)
    assert h_NVTF[1, 0, :, 0].tolist() == [21, 26, 31, 36]
    assert h_NVTF[1, 5, :, 0].tolist() == [23, 28, 33, 38]


def test_rows_come_in_the_order_of_items_views_frames() -> None:
    rows = torch.arange(24.0)[:, None]
    assert shaped(rows, 2, Views(3), 4)[1, 2, 3].item() == 23
    assert shaped(rows, 6, Views(), 4).shape == (6, 4, 1)
    assert shaped(rows, 24, Views(), None).shape == (24, 1)


def test_an_augmented_clip_is_changed_alike_in_all_its_frames() -> None:
    source = backbone(augment="crop_flip")
    grey_T = features(source, [0])[0, :, 0]
    assert (grey_T.diff() > 0).all(), "uniform frames keep their grey level"
    assert features(backbone(augment="crop"), [0]).shape == (1, 4, 1)


def test_the_shared_encoder_is_not_trained() -> None:
    encoder = Mean()
    source = TunedBackbone(encoder, pictures(), ["1"], Sampling(0, 4), "cpu")
    with torch.no_grad():
        source.pretrained()[0].fill_(3)
    assert encoder.module.weight.item() == 1
    assert source.state()["weight"].item() == 3


def test_what_was_put_in_is_trained_at_the_other_rate_and_named_by_itself() -> None:
    source = backbone()
    source.module.mixed = torch.nn.Linear(2, 2)
    new = list(source.module.mixed.parameters())
    source.put_in(new)
    assert len(source.pretrained()) == 1
    assert {id(t) for t in source.new()} == {id(t) for t in new}
    assert source.inserted().keys() == {"mixed.weight", "mixed.bias"}
    assert source.state().keys() == {"weight"}


def test_a_tower_that_cannot_recompute_says_so() -> None:
    with pytest.raises(CellError, match="cannot recompute"):
        backbone().recompute()
