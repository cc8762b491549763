"""A tuned backbone on pictures and clips: what it looks at, in training and in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from harness.core.errors import CellError
from harness.sampling.views import Look
from harness.training.loader import Sampling, TunedBackbone, shaped
from harness.training.model import Embedding, Projection
from harness.training.pictures import Pictures, read_pictures


class Grey:
    """Clips of 20 frames; frame n of clip `k` is all of the grey level 10 k + n."""

    position = "centre"

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[int, ...]]] = []

    def length(self, item: str) -> int:
        return 20

    def frames(self, item: str, indices: Any) -> list[Image.Image]:
        self.asked.append((item, tuple(indices)))
        return [Image.new("RGB", (6, 4), (10 * int(item) + n,) * 3) for n in indices]

    def image(self, item: str) -> Image.Image:
        return Image.new("RGB", (6, 4), (10 * int(item),) * 3)


class Mean:
    """An encoder whose one feature is the mean of the picture, times a parameter."""

    def __init__(self) -> None:
        self.module = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.ones_(self.module.weight)

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        grey = np.asarray(image.resize((resolution, resolution)), dtype=np.float32)
        return torch.from_numpy(grey).permute(2, 0, 1)

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.module(x_BCHW.mean(dim=(1, 2, 3))[:, None])


def backbone(frames: int | None = 4, augment: str = "none", seed: int = 0) -> TunedBackbone:
    pictures = Pictures(Grey(), Mean(), 8)  # type: ignore[arg-type]
    return TunedBackbone(Mean(), pictures, ["1", "2"], Sampling(seed, frames, augment), "cpu")


def test_frames_of_one_video_are_read_together() -> None:
    data = Grey()
    wanted = [Look("1", 3), Look("2", 5), Look("1", 1), Look("1", 3)]
    found = read_pictures(data, wanted)  # type: ignore[arg-type]
    assert [np.asarray(image)[0, 0, 0] for image in found] == [13, 25, 11, 13]
    assert data.asked == [("1", (1, 3)), ("2", (5,))]


def test_training_draws_frames_anew_every_epoch_and_alike_for_a_seed() -> None:
    def looked(epoch: int, seed: int = 0) -> list[float]:
        source = backbone(seed=seed)
        source.begin_epoch(epoch)
        h_BTF = source.features(torch.tensor([1, 0]))
        assert h_BTF.shape == (2, 4, 1)
        return h_BTF.flatten().tolist()

    first = looked(0)
    assert [int(v - 20) // 5 for v in first[:4]] == [0, 1, 2, 3], "a frame of every segment"
    assert looked(0) == first
    assert looked(1) != first
    assert looked(0, seed=1) != first


def test_evaluation_looks_at_the_centres_in_every_view() -> None:
    pictures = Pictures(Grey(), Mean(), 8)  # type: ignore[arg-type]
    source = backbone()
    h_NTF = source.embed(["1", "2"], pictures)
    assert h_NTF[0, :, 0].tolist() == [12, 17, 22, 27]
    h_NVTF = source.embed(["1", "2"], pictures, (2, 3))
    assert h_NVTF.shape == (2, 6, 4, 1)
    assert h_NVTF[1, 0, :, 0].tolist() == [21, 26, 31, 36]
    assert h_NVTF[1, 5, :, 0].tolist() == [23, 28, 33, 38]


def test_views_are_averaged_before_the_normalisation() -> None:
    g = torch.Generator().manual_seed(0)
    projection = Projection(torch.randn(5, 3, generator=g), torch.randn(5, generator=g))
    h_NVTF = torch.randn(2, 6, 4, 3, generator=g)

    class Last(torch.nn.Module):
        def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
            return z_BTD[:, -1]

    found = Embedding(projection, Last())(h_NVTF, views=True)
    expected = torch.stack([projection(h_NVTF[n, :, -1]).mean(dim=0) for n in range(2)])
    torch.testing.assert_close(found, expected)


def test_rows_come_in_the_order_of_items_views_frames() -> None:
    rows = torch.arange(24.0)[:, None]
    assert shaped(rows, 2, (3, 1), 4)[1, 2, 3].item() == 23
    assert shaped(rows, 6, (1, 1), 4).shape == (6, 4, 1)
    assert shaped(rows, 24, (1, 1), None).shape == (24, 1)


def test_an_augmented_clip_is_changed_alike_in_all_its_frames() -> None:
    source = backbone(augment="crop_flip")
    source.begin_epoch(0)
    grey = source.features(torch.tensor([0]))[0, :, 0]
    assert (grey.diff() > 0).all(), "uniform frames keep their grey level"
    pictures = backbone(augment="crop")
    pictures.begin_epoch(0)
    assert pictures.features(torch.tensor([0])).shape == (1, 4, 1)


def test_what_was_put_in_is_trained_at_the_other_rate() -> None:
    source = backbone()
    source.module.mixed = torch.nn.Linear(2, 2)
    new = list(source.module.mixed.parameters())
    source.put_in(new)
    assert len(source.pretrained()) == 1
    assert {id(t) for t in source.new()} == {id(t) for t in new}


def test_a_tower_that_cannot_recompute_says_so() -> None:
    with pytest.raises(CellError, match="cannot recompute"):
        backbone().recompute()
