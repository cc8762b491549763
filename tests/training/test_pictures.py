"""Pictures that are read and kept: frames of a clip together, each once, up to a size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from harness.sampling.sets import picture_hash
from harness.sampling.views import FrameView, Views
from harness.training import pictures as module
from harness.training.augmentation import Augmentation
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling
from harness.training.tuned import TunedBackbone

from .grey import Grey, GreyPictures, Mean


def levels(images: list[Image.Image]) -> list[int]:
    return [int(np.asarray(image)[0, 0, 0]) for image in images]


def read_once(pictures: Pictures, views: list[FrameView]) -> torch.Tensor:
    """The pixels of one batch."""
    return next(pictures.batches([views], workers=0))


def test_frames_of_one_video_are_read_together() -> None:
    data: Any = Grey()
    views = [FrameView("1", 3), FrameView("2", 5), FrameView("1", 1), FrameView("1", 3)]
    assert levels(Pictures(data, Mean(), 8).images(views)) == [13, 25, 11, 13]
    assert data.reads == [("1", (1, 3)), ("2", (5,))]


def test_crops_are_squares_along_the_long_side() -> None:
    wide = Image.new("RGB", (6, 4), "black")
    wide.paste((200, 200, 200), (4, 0, 6, 4))
    data: Any = GreyPictures()
    data.image = lambda item: wide
    views = [FrameView("1", None, (number, 3)) for number in range(3)]
    left, middle, right = Pictures(data, Mean(), 8).images(views)
    assert left.size == middle.size == right.size == (4, 4)
    assert [int(np.asarray(image)[0, 3, 0]) for image in (left, middle, right)] == [0, 200, 200]
    assert [int(np.asarray(image)[0, 1, 0]) for image in (left, middle, right)] == [0, 0, 0]


def test_crops_at_full_resolution_are_not_cut_again() -> None:
    """A frame of 640 x 360 for pictures of 224: its short side is 256, and the crop is 224."""
    data: Any = GreyPictures()
    wide = Image.new("RGB", (640, 360), "black")
    wide.paste((200, 200, 200), (320, 0, 640, 360))
    data.image = lambda item: wide

    class Margins(Mean):
        def preprocess(self, image: Image.Image, resolution: int) -> Any:
            raise AssertionError("resized and cropped again")

        pixels = preprocess

        def pixels_as_cut(self, image: Image.Image) -> Any:
            assert image.size == (224, 224)
            return torch.tensor(np.asarray(image)[0, :, 0])

    pictures = Pictures(data, Margins(), 224)
    views = [FrameView("1", None, (n, 3), "full_resolution") for n in range(3)]
    left, right, middle = read_once(pictures, views)
    assert (left.sum().item(), right[10:].min().item()) == (0, 200)
    assert 0 < (middle > 100).sum().item() < 224
    (centre,) = read_once(pictures, [FrameView("1", None, (0, 1), "full_resolution")])
    assert (centre > 100).sum().item() == pytest.approx(112, abs=1)


def test_each_picture_is_read_once() -> None:
    data: Any = Grey()
    pictures = Pictures(data, Mean(), 8)
    first = read_once(pictures, [FrameView("1", 3), FrameView("1", 4), FrameView("1", 3)])
    assert first[:, 0, 0, 0].tolist() == [13, 14, 13]
    assert read_once(pictures, [FrameView("1", 4), FrameView("2", 0)])[:, 0, 0, 0].tolist() == [
        14,
        20,
    ]
    assert data.reads == [("1", (3, 4)), ("2", (0,))]


def test_pictures_beyond_the_limit_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 3 * 8 * 8 * 4)  # one picture
    data: Any = Grey()
    pictures = Pictures(data, Mean(), 8)
    for _ in range(2):
        assert read_once(pictures, [FrameView("1", 3), FrameView("2", 5)])[:, 0, 0, 0].tolist() == [
            13,
            25,
        ]
    assert data.reads == [("1", (3,)), ("2", (5,)), ("2", (5,))]


def test_what_was_augmented_is_not_kept() -> None:
    data: Any = Grey()
    pictures = Pictures(data, Mean(), 8)
    change = Augmentation((0.0, 0.0, 0.5, 0.5), flip=True)
    views = [FrameView("1", 3), FrameView("1", 4)]
    x_NCHW = pictures.augmented(pictures.images(views), change)
    assert x_NCHW[:, 0, 0, 0].tolist() == [13, 14]
    assert pictures.kept(views) is None


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_kept_and_of_fresh_pictures_come_in_order(workers: int) -> None:
    data: Any = Grey()
    pictures = Pictures(data, Mean(), 8)
    batches = [[FrameView(str(k), n)] for k in (1, 2) for n in range(4)]
    read_once(pictures, [*batches[0], *batches[3], *batches[6]])
    expected = [[10.0], [11.0], [12.0], [13.0], [20.0], [21.0], [22.0], [23.0]]
    for _ in range(2):
        found = [x[:, 0, 0, 0].tolist() for x in pictures.batches(iter(batches), workers=workers)]
        assert found == expected
        assert all(pictures.kept(batch) is not None for batch in batches)
    if workers == 0:
        assert len(data.reads) == 2 + 5, "each once: three at first, of two clips, then five"


def test_neighbouring_views_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an item of many views each was made anew for every one of them."""
    from harness.training import item_views

    made: list[str] = []
    plain = item_views.item_views
    monkeypatch.setattr(
        item_views,
        "item_views",
        lambda data, item, *rest: (made.append(item), plain(data, item, *rest))[1],
    )
    data: Any = Grey()
    views = item_views.ItemViews(data, ["1", "2"], 4, Views(2, 3))
    assert views[0:48] == list(views)
    assert len(views) == 48
    assert made == ["1", "2", "1", "2"]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("augment", ["none", "crop_flip"])
def test_whole_pictures_are_hashed_while_they_are_read(workers: int, augment: str) -> None:
    """In whatever process, for training or evaluation; of the picture, not of what is cut out."""
    data: Any = GreyPictures()
    data.image = lambda item: Image.new("RGB", (24, 16), (int(item),) * 3)
    pictures, items = Pictures(data, Mean(), 8), [str(n) for n in range(8)]
    source = TunedBackbone(
        Mean(), pictures, items[:6], Sampling(0, None, augment), "cpu", workers=workers
    )
    parts = [(epoch, torch.tensor([n, n + 1])) for epoch in range(2) for n in (0, 2, 4)]
    assert len(list(source.ahead(parts))) == 6
    source.embed(items[6:], pictures, Views(crops=3))
    assert pictures.seen.hashes == {item: picture_hash(data.image(item))[:32] for item in items}


def test_frames_of_clips_are_not_hashed() -> None:
    """Those of training are others in every epoch."""
    data: Any = Grey()
    pictures = Pictures(data, Mean(), 8)
    read_once(pictures, [FrameView("1", 3)])
    assert pictures.seen.hashes == {}
